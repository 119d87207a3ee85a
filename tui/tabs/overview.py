"""What is known of the object without asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from backends.model import Item
from tui.facts import facts_of
from tui.tabs import TabSpec
from tui.tabs.tab import Tab
from widgets.facts import Fact, Facts
from widgets.table import Cell

if TYPE_CHECKING:
    from tui.details import Details
    from tui.grouping import Group


class OverviewTab(Tab):
    def __init__(self, spec: TabSpec, frame: Details) -> None:
        self.facts = Facts(glyphs=frame.look().glyphs)
        super().__init__(spec, frame, self.facts)

    def draw(self, item: Item) -> None:
        self.facts.set_facts(facts_of(item, self.frame.look()))

    def draw_group(self, group: Group) -> None:
        from tui.group_facts import facts_of_group

        self.facts.set_facts(facts_of_group(group, self.frame.look()))

    def draw_nothing(self) -> None:
        self.facts.set_facts([Fact("", Cell("Nothing is selected.", "dim"))])

    def main_widget(self) -> Widget:
        return self.facts
