"""Every operation was called, rightly and wrongly, and the table in the documentation says how."""

import os

import pytest
import surface


@pytest.mark.proves()
def test_the_table_of_operations_is_what_tests_have_shown(request):
    files = {item.path.name for item in request.session.items}
    there = {path.name for path in request.path.parent.glob("test_*.py")}
    chosen = request.config.option.markexpr or request.config.option.keyword
    if files < there or chosen or request.session.testsfailed:
        pytest.skip("only some of the tests were run, or some failed")
    untouched, unproven, lacking = [], [], []
    for (service, name), model in surface.operations().items():
        known = surface.record_name(service, name)
        served, errors = surface.RECORD.served[known], surface.RECORD.errors[known]
        if not served and not errors:
            untouched.append(name)
        if served and not surface.RECORD.proofs[known]:
            unproven.append(name)
        missing = surface.wanted_errors(model) - set(errors) if served else set()
        lacking.extend(f"{name}: {why}" for why in sorted(missing))
    assert not (untouched or unproven or lacking), (
        f"\nnever called: {untouched}\neffect not proven: {unproven}\nmistakes not made: {lacking}")
    written = surface.table()
    if os.environ.get("NEARFRONT_WRITE_TABLE"):
        surface.TABLE.write_text(written)
    assert surface.TABLE.read_text() == written, "NEARFRONT_WRITE_TABLE=1 writes docs/management-api.md anew"
