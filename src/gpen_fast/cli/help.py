"""How commands look in --help: flags without a value show no type, and a usage line shows names as they are typed."""

from __future__ import annotations

import copy
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


class PlainGroup(TyperGroup):
    """A group of commands with plain help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options."""
        return [_plain(each) for each in super().get_params(ctx)]


class PanelledCommand(TyperCommand):
    """A command with plain help; its --help stands in its last panel, with the flags of the run."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option --help, placed."""
        made = super().get_help_option(ctx)
        if made is not None:
            made.rich_help_panel = getattr(self.params[-1], "rich_help_panel", None)
        return made

    def get_params(self, ctx: Any) -> list[Any]:
        """Its arguments and options."""
        return [_plain(each) for each in super().get_params(ctx)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help. A flag's negative form stands in its text: a column of its own would narrow all texts."""
        shown = copy.copy(self)
        shown.params = [_one_column(each) for each in self.params]
        super(PanelledCommand, shown).format_help(ctx, formatter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands after the command's name in the usage line."""
        arguments = [each for each in self.get_params(ctx) if isinstance(each, TyperArgument)]
        return ["[OPTIONS]", *(_typed(each) for each in arguments)]


def _one_column(parameter: Any) -> Any:
    """A copy for the help, whose text names the flag's negative form."""
    if not isinstance(parameter, TyperOption) or not parameter.secondary_opts:
        return parameter
    made = copy.copy(parameter)
    made.help = f"{parameter.help} {parameter.secondary_opts[0]} turns this off."
    made.secondary_opts = []
    return made


def _typed(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _plain(parameter: Any) -> Any:
    """The parameter, without a type in the help: arguments and flags of no value need none."""
    if isinstance(parameter, TyperArgument):
        # Typer shows `<list[str]>` beside an argument's name, and has no setting against it.
        parameter.display_type_rich = lambda ctx: None  # type: ignore[method-assign]
    elif isinstance(parameter, TyperOption) and parameter.is_flag:
        parameter.metavar = ""
    return parameter
