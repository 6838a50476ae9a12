"""What `radar doctor` says of figures of one's own that were left out."""

from __future__ import annotations

from tests.commands.conftest import Radar, Site


def test_figures_that_were_left_out_are_warnings_with_their_fix_all_at_once(radar: Radar, site: Site) -> None:
    mistakes = 'custom = [{name = "A", series = "a|b"}, {name = "b", sql = "select 1"}]\n'
    site.file.write_text(site.file.read_text() + mistakes)
    done = radar("doctor", "--offline", "--json")
    own = [found for found in done.document["findings"] if found["name"] == "custom"]
    assert done.status == 1
    assert [(found["group"], found["result"]) for found in own] == [("configuration", "warning")] * 2
    assert "line 6: environments.production.custom[0].name: this is no name for a figure" in own[0]["words"]
    assert own[1]["fix"] == 'add database = "${DATABASE_URL}"'


def test_without_figures_of_ones_own_they_are_not_configured(radar: Radar, site: Site) -> None:
    found = [each for each in radar("doctor", "--offline", "--json").document["findings"] if each["name"] == "custom"]
    assert [each["result"] for each in found] == ["not configured"]
