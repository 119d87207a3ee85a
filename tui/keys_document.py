"""docs/keys.md, made from the declaration of commands: `python -m tui.keys_document > docs/keys.md`."""

from __future__ import annotations

from tui.commands import COMMANDS, Scope, sections
from tui.keymap import Keymap, key_text
from tui.widget_keys import widget_bindings


def keys_document() -> str:
    keymap = Keymap({})
    lines = [
        "# Keys",
        "",
        "Made from the program's own declaration of commands. The first column is the id to use in the `[keys]` table",
        "of the [configuration](configuration.md).",
    ]
    for heading, commands in sections(COMMANDS):
        lines += ["", f"## {heading}", "", "| id | keys | what it does |", "| --- | --- | --- |"]
        for command in commands:
            elsewhere = "in the menu `m`" if command.scope is Scope.ITEM else "in the palette `:`"
            keys = " ".join(f"`{key}`" for key in keymap.text(command).split()) or elsewhere
            lines.append(f"| `{command.id}` | {keys} | {command.help} |")
    lines += ["", "## In lists, details and questions", "", "| id | keys | what it does |", "| --- | --- | --- |"]
    for name, (bound, what) in widget_bindings().items():
        lines.append(f"| `{name}` | {' '.join(f'`{key_text(key)}`' for key in bound)} | {what} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(keys_document(), end="")
