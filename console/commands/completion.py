"""`radar completion SHELL`: a script generated from the parser itself, so that it knows what the parser knows."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from console.cli import OFFERED, WELL, parser
from console.commands.writing import write

FILES = ("--config", "--dir", "--output", "--anchors")


@dataclass(frozen=True)
class Words:
    """What can follow one command, each word with its explanation."""

    path: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]


def configure(command: argparse.ArgumentParser) -> None:
    """The options of this command."""
    command.add_argument("shell", choices=tuple(SHELLS), help="for which shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    write(SHELLS[arguments.shell](_walk(parser((), whole=True), ())))
    return WELL


def _walk(made: argparse.ArgumentParser, path: tuple[str, ...]) -> list[Words]:
    options: list[tuple[str, str]] = []
    values: list[tuple[str, str]] = []
    below: list[Words] = []
    for action in made._actions:
        if action.help is not argparse.SUPPRESS:
            options += [(option, action.help or "") for option in action.option_strings if option.startswith("--")]
        if isinstance(action, argparse._SubParsersAction):
            values += [(choice.dest, choice.help or "") for choice in action._choices_actions]
            below += [words for name, sub in action.choices.items() for words in _walk(sub, (*path, name))]
        elif not action.option_strings:
            values += [(str(word), "") for word in action.choices or ()]
            values += [(word, "") for word in getattr(action, OFFERED, ())]
    return [Words(path, tuple(options), (*values, *_faults(path))), *below]


def _faults(path: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    if path != ("demo", "fault"):
        return ()
    from console.demo.faults import FAULTS

    return tuple(FAULTS.items())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _path_pattern(words: Words) -> str:
    return _quoted(" ".join(words.path))


def bash(commands: list[Words]) -> str:
    """The command so far is what precedes the word being typed, without options and their values."""
    cases = "\n".join(
        f"    {_path_pattern(words)}) words={_quoted(' '.join(word for word, _ in (*words.values, *words.options)))} ;;"
        for words in commands
    )
    return f"""\
# bash completion of radar: eval "$(radar completion bash)"
_radar() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" path="" words="" word
  case $previous in {"|".join(FILES)}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "${{path:+$path }}$word" in
      {"|".join(_path_pattern(words) for words in commands if words.path)}) path="${{path:+$path }}$word" ;;
    esac
  done
  case $path in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -F _radar radar
"""


def zsh(commands: list[Words]) -> str:
    """The same walk; zsh shows the explanations."""
    cases = "\n".join(f"    {_path_pattern(words)}) words=({_described(words)}) ;;" for words in commands)
    return f"""\
#compdef radar
# zsh completion of radar: source <(radar completion zsh), after compinit
_radar() {{
  local typed="" word
  local -a words_typed=("${{(@)words[2,CURRENT-1]}}")
  case ${{words[CURRENT-1]}} in {"|".join(FILES)}) _files; return ;; esac
  for word in $words_typed; do
    case "${{typed:+$typed }}$word" in
      {"|".join(_path_pattern(words) for words in commands if words.path)}) typed="${{typed:+$typed }}$word" ;;
    esac
  done
  local -a words
  case $typed in
{cases}
  esac
  _describe radar words
}}
compdef _radar radar
"""


def _described(words: Words) -> str:
    return " ".join(
        _quoted(f"{word.replace(':', chr(92) + ':')}:{text}" if text else word)
        for word, text in (*words.values, *words.options)
    )


def fish(commands: list[Words]) -> str:
    """One line a word; a command's words are offered once its path has been typed and nothing below it."""
    lines = ["# fish completion of radar: radar completion fish | source", "complete -c radar -f"]
    for words in commands:
        condition = _fish_condition(words, commands)
        for word, text in words.values:
            lines.append(f"complete -c radar -n {condition} -a {_quoted(word)} -d {_quoted(text)}")
        for word, text in words.options:
            file = " -r -F" if word in FILES else ""
            lines.append(f"complete -c radar -n {condition} -l {word[2:]} -d {_quoted(text)}{file}")
    return "\n".join(lines) + "\n"


def _fish_condition(words: Words, commands: list[Words]) -> str:
    below = [other.path[-1] for other in commands if other.path[:-1] == words.path and other.path]
    seen = [f"__fish_seen_subcommand_from {part}" for part in words.path]
    unseen = [f"not __fish_seen_subcommand_from {' '.join(below)}"] if below else []
    return _quoted("; and ".join([*seen, *unseen]) or "true")


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
