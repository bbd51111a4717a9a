"""Rows of the table that no notebook carries: the tests that hold them, or why none is needed."""

from __future__ import annotations

from attack import Elsewhere

ELSEWHERE = (
    Elsewhere(
        row=7,
        what="arrays that compare equal by accident",
        tests=(
            "test_checks.py::test_wrong_outputs_do_not_agree",
            "test_checks.py::test_arrays_of_other_sizes_or_not_finite_are_never_the_same",
        ),
    ),
    Elsewhere(
        row=20,
        what="the forbidden library routine",
        reason="no check forbids a routine, and HW 5 asks for none to be written by hand",
    ),
    Elsewhere(
        row=39,
        what="pickles opened by the grader",
        tests=("attacks/test_corpus.py::test_the_grader_never_unpickles",),
    ),
    Elsewhere(
        row=40,
        what="lying tensor headers",
        tests=(
            "test_wire.py::test_malformed_frames_are_refused",
            "test_wire_channel.py::test_a_frame_beyond_the_cap_is_refused_before_it_is_read",
        ),
    ),
    Elsewhere(
        row=41,
        what="zip-slip",
        tests=(
            "test_archives.py::test_no_name_leads_out_of_the_folder",
            "test_archives.py::test_no_archive_ends_in_a_traceback_or_writes_elsewhere",
        ),
    ),
    Elsewhere(
        row=42,
        what="zip bombs",
        tests=(
            "test_archives.py::test_a_bomb_is_a_row_and_leaves_nothing",
            "test_archives.py::test_an_archive_of_a_student_is_bounded",
            "test_archives.py::test_a_list_without_end_is_never_read",
        ),
    ),
    Elsewhere(
        row=43,
        what="hostile tar files",
        tests=("attacks/test_corpus.py::test_tar_archives_are_left_closed",),
        reason="tar is not opened, and never will be: a row says so",
    ),
    Elsewhere(
        row=44,
        what="links among the submissions",
        tests=("test_submissions.py::test_links_are_not_followed",),
    ),
    Elsewhere(
        row=45,
        what="strange file names",
        tests=(
            "test_submissions.py::test_a_changed_name_is_safe_bounded_and_told_apart",
            "test_submissions.py::test_names_that_agree_ignoring_case_are_told_apart",
        ),
    ),
    Elsewhere(
        row=46,
        what="HTML and scripts",
        tests=(
            "test_end_to_end.py::test_what_a_student_wrote_is_never_live_in_a_page",
            "test_report.py::test_hostile_words_are_shown_as_words",
            "test_report.py::test_a_students_page_runs_and_loads_nothing",
        ),
    ),
    Elsewhere(
        row=47,
        what="formulas in CSV",
        tests=(
            "test_exports_csv.py::test_a_text_cell_never_runs_as_a_formula",
            "test_exports_csv.py::test_whatever_a_name_is_the_gradebook_stays_one_row_that_runs_nothing",
        ),
    ),
    Elsewhere(
        row=48,
        what="escape sequences in the terminal",
        tests=(
            "test_wire.py::test_control_sequences_are_stripped",
            "test_end_to_end.py::test_the_terminal_gets_no_control_codes_where_it_is_none",
        ),
    ),
    Elsewhere(
        row=49,
        what="text for an LLM or for TeX",
        reason="neither is in the grader: people mark written answers, pages are HTML",
    ),
    Elsewhere(
        row=52,
        what="malicious notebook files",
        tests=(
            "test_notebook.py::test_what_is_no_notebook_is_refused_with_its_reason",
            "test_notebook.py::test_a_file_above_the_limit_is_refused",
            "test_end_to_end.py::test_what_cannot_be_graded_is_a_row_that_says_why",
        ),
    ),
    Elsewhere(
        row=53,
        what="a kernel of the notebook's choice",
        tests=("test_end_to_end.py::test_files_of_every_format_earn_the_same",),
    ),
    Elsewhere(
        row=58,
        what="fifos and links in a shared output folder",
        reason="there is no such folder: results cross a pipe",
    ),
)
