"""mlops-new completion."""

import click
from click.shell_completion import get_completion_class

WHERE = {
    "bash": 'eval "$(mlops-new completion bash)"    # in ~/.bashrc',
    "zsh": 'eval "$(mlops-new completion zsh)"     # in ~/.zshrc, below compinit',
    "fish": "mlops-new completion fish > ~/.config/fish/completions/mlops-new.fish",
}


@click.command(
    epilog="\b\nExamples:\n" + "\n".join(f"  {line}" for line in WHERE.values()),
)
@click.argument("shell", type=click.Choice(list(WHERE)))
def command(shell: str) -> None:
    """Print the completion script for a shell."""
    from mlops_new.cli import completion

    kind = get_completion_class(shell)
    assert kind
    script = kind(click.Command("mlops-new"), {}, "mlops-new", completion.VARIABLE)
    click.echo(script.source_template % script.source_vars())
