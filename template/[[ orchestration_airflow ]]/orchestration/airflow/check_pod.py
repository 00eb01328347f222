"""Is pod.yaml a pod? Read by Airflow's own reader; what Kubernetes does not know, it would leave out."""

import sys
from pathlib import Path

import yaml
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from kubernetes.client import ApiClient

FILE = Path(__file__).with_name("pod.yaml")


def main() -> int:
    written = yaml.safe_load(FILE.read_text())
    read = ApiClient().sanitize_for_serialization(PodGenerator.deserialize_model_file(str(FILE)))
    if written != read:
        print(f"{FILE} says\n{written}\nand Kubernetes understands\n{read}", file=sys.stderr)
    return int(written != read)


if __name__ == "__main__":
    sys.exit(main())
