"""The action `login` in a job: each cloud that has a role, and no other."""

from tests.act.actions import OURS
from tests.act.forge import Forge
from tests.act.small import CHECKOUT, small
from tests.actions.test_login import AWS, GOOGLE, POOL


def test_a_job_logs_in_to_the_clouds_that_have_a_role(empty_forge: Forge) -> None:
    small(
        empty_forge,
        f"""
- uses: {CHECKOUT}
- name: Log in
  id: login
  uses: {OURS}/actions/login@v1.0.0
  with:
    role-to-assume: ${{{{ vars.AWS_ROLE }}}} ${{{{ vars.GOOGLE_SERVICE_ACCOUNT }}}} ${{{{ vars.AZURE_CLIENT_ID }}}}
    provider: ${{{{ vars.AWS_REGION }}}} ${{{{ vars.GOOGLE_IDENTITY_PROVIDER }}}}
- run: echo "aws ${{AWS_ACCESS_KEY_ID:-none}} in ${{AWS_REGION:-none}}" && cat "${{GOOGLE_APPLICATION_CREDENTIALS:-/dev/null}}"
""",
    )
    variables = {"AWS_ROLE": AWS, "AWS_REGION": "eu-west-1"}
    run = empty_forge.run("small.yml", variables=variables).must({"a": "success"})
    assert f"aws stub-of-{AWS} in eu-west-1\n" in run.log
    assert run.outputs["a"]["login"] == {"clouds": "aws"}
    variables = {"GOOGLE_SERVICE_ACCOUNT": GOOGLE, "GOOGLE_IDENTITY_PROVIDER": POOL}
    run = empty_forge.run("small.yml", variables=variables).must({"a": "success"})
    assert "aws none in none\n" in run.log and f'"account": "{GOOGLE}"' in run.log
    run = empty_forge.run("small.yml").must({"a": "success"})  # no role: no login, and no error
    assert run.outputs["a"]["login"] == {"clouds": ""}
