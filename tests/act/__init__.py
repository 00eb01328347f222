"""Runs a generated repository's own workflows on this machine, with `act`.

    def test_a_worse_model_is_told(forge_with_s3: Forge, s3: S3) -> None:
        forge = forge_with_s3                                # trained, pushed, its data in `s3`
        params = (forge.work / "params.yaml").read_text()
        forge.git("switch", "--quiet", "--create", "try")
        forge.commit("Two trees", {"params.yaml": params.replace("max_iter: 100", "max_iter: 2")})
        number = forge.pull_request("try")                   # fork=True: nobody's secrets
        run = forge.run("ci.yml", "pull_request", pull=number, variables={"RUNS_ON": "ubuntu-24.04"})
        run.must({"lint": "success", "test": "success", "data": "failure"})   # all jobs that ran
        assert run.outputs["data"]["remote"] == {"found": "true"}             # job, step's id
        assert "## worse" in run.summary
        assert run.errors == ["roc_auc closed the gate"]     # notices, warnings; run.messages for more
        assert run.artifact("report").joinpath("report.html").is_file()
        (comment,) = forge.api.comments_of(number)           # what the stub of GitHub's API was told
        assert forge.api.writes == [("POST", f"/issues/{number}/comments")]
        assert forge.api.unknown == []
        assert forge.refs() == {}                            # tags in the bare repository
        forge.api.limit("POST", "/comments$")                # 403 and Retry-After, once
        with s3.refusing("PUT", after=2):                    # a push that breaks half-way
            forge.run("train.yml").must({"train": "failure"})

What act ignores - filters of triggers, `permissions`, `concurrency`, job timeouts - is asserted from the YAML.
"""
