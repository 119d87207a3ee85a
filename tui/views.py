"""The views beside the lists, by name; the module of one is imported when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import View

if TYPE_CHECKING:
    from tui.app import BoxtopApp


def make_view(name: str, app: BoxtopApp) -> View:
    """A new view of this name, not yet mounted. Raises LookupError."""
    match name:
        case "host":
            from tui.host_view import HostView

            return HostView(app.look, app.options.interval)
        case "journal":
            from tui.journal_view import JournalView

            return JournalView(app.journal_file, app.look().glyphs)
        case "events":
            from tui.events_view import EventsView

            return EventsView(app)
        case "engine-log":
            from tui.engine_log_view import EngineLogView

            return EngineLogView(app)
        case "logs":
            from tui.log_view import LogsView

            return LogsView(app)
        case "media":
            from tui.media_view import MediaView

            return MediaView(app)
        case "output":
            from tui.output_view import OutputView

            return OutputView(app.tasks, app.look)
        case "screen":
            from tui.screen_view import ScreenView

            return ScreenView(app)
        case "snapshots":
            from tui.snapshots_view import SnapshotsView

            return SnapshotsView(app)
        case "settings":
            from tui.settings_view import SettingsView

            return SettingsView(app)
        case "tasks":
            from tui.tasks_view import TasksView

            return TasksView(app.tasks, app.look)
    raise LookupError(f"no view is called {name}")
