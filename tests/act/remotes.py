"""Places where DVC keeps data: a folder, and an S3 on loopback."""

import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, Self

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "stub",
    "AWS_SECRET_ACCESS_KEY": "stub",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Remote(Protocol):
    """`environment` is what a runner needs to reach it."""

    url: str
    environment: dict[str, str]

    def config(self) -> str:
        """The text of .dvc/config for it."""

    def put(self, key: str, file: Path) -> None: ...

    def keys(self) -> list[str]: ...


def stock(remote: Remote, repository: Path) -> None:
    """What `dvc push` does, without DVC: cache and remote have one layout. Never the run-cache."""
    cache = repository / ".dvc/cache"
    for file in (path for path in (cache / "files").rglob("*") if path.is_file()):
        remote.put(file.relative_to(cache).as_posix(), file)


class Folder:
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.url = folder, str(folder)
        self.environment: dict[str, str] = {}

    def config(self) -> str:
        return f"[core]\n    analytics = false\n    remote = storage\n['remote \"storage\"']\n    url = {self.url}\n"

    def put(self, key: str, file: Path) -> None:
        (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, self.folder / key)

    def keys(self) -> list[str]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in files)

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        away = self.folder.rename(self.folder.with_name(f"{self.folder.name}-away"))
        try:
            yield
        finally:
            away.rename(self.folder)


class S3:
    """One server for a worker, a bucket for a test."""

    def __init__(self, server: "S3Server", bucket: str) -> None:
        self.server, self.bucket, self.url = server, bucket, f"s3://{bucket}/flights"
        self.environment = dict(CREDENTIALS)
        self.client = server.client
        self.client.create_bucket(Bucket=bucket)

    def config(self) -> str:
        lines = "[core]\n    analytics = false\n    remote = storage\n['remote \"storage\"']\n"
        return f"{lines}    url = {self.url}\n    endpointurl = {self.server.url}\n"

    def put(self, key: str, file: Path) -> None:
        self.client.upload_file(str(file), self.bucket, f"flights/{key}")

    def keys(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        found = (item["Key"] for page in pages for item in page.get("Contents", []))
        return sorted(str(key).removeprefix("flights/") for key in found)

    @contextlib.contextmanager
    def refusing(self, method: str = "PUT", after: int = 0) -> Iterator[None]:
        """Requests with this method to this bucket are denied, once `after` of them went through."""
        self.server.refused[f"/{self.bucket}"] = [method, after]
        try:
            yield
        finally:
            del self.server.refused[f"/{self.bucket}"]


class S3Server:
    """moto's, behind a door that can be shut."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.refused: dict[str, list[Any]] = {}
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._door, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        names = {
            "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        self.client: Any = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **names)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _door(self, about: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        rule = self.refused.get("/" + about["PATH_INFO"].split("/")[1])
        if rule and rule[0] == about["REQUEST_METHOD"]:
            rule[1] -= 1
            if rule[1] < 0:
                about["wsgi.input"].read(int(about.get("CONTENT_LENGTH") or 0))
                start("403 Forbidden", [("Content-Type", "application/xml")])
                return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]
        found: Iterable[bytes] = self._moto(about, start)
        return found
