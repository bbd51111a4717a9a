"""An answer that shares its line with its question is found, whole and without the question."""

import pytest
from test_answers import GIVEN, PROMPTS, answers, inside, place_of, text

LONG = (
    "No: positives come from augmentations, or from views that belong together, so that nobody "
    "has to label a thing. Think of a research vessel with years of recordings, where two cuts of "
    "one call are a positive pair and cuts of the calls of two animals a negative one."
)
RETYPED = {
    "Q1.1": PROMPTS["Q1.1"].replace("useful", "helpful"),
    "Q1.2": PROMPTS["Q1.2"].replace("generally", "genrally"),
    "Q2.2": PROMPTS["Q2.2"].replace("labeled", "labelled"),
    "Q2.3.4": PROMPTS["Q2.3.4"].replace("Comment on", "Coment on"),
}
"""Prompts in other words than the rubric's, which are never found as they are."""
SIGNS = "*_()?-\u2192 "


def asked_on_one_line(item: str, line: str) -> str:
    """The answer that is found where a line stands for an item's prompt."""
    page = inside({name: given for name, given in GIVEN.items() if name != item})
    at = place_of(page, item)
    heading = page[at][1].partition(PROMPTS[item])[0]
    page[at] = text(heading + line)
    found = answers(page)
    assert {**found, item: GIVEN[item]} == GIVEN
    return found[item]


@pytest.mark.parametrize("item", RETYPED)
@pytest.mark.parametrize(
    "said",
    [
        "False.",
        "False, since augmentation gives the positives; whales for example.",
        "**False**",
        "FALSE. Whales!",
        "- false, whales",
        "(False)",
        "\u2192 False: whales",
        "Ans: False",
        LONG,
    ],
)
def test_an_answer_behind_a_retyped_prompt_is_found(item: str, said: str) -> None:
    expected = said.removeprefix("Ans: ").strip(SIGNS)
    for prompt in (RETYPED[item], RETYPED[item].rstrip("?.)*")):
        assert asked_on_one_line(item, f"{prompt} {said}").strip(SIGNS) == expected


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("Q2.2", "True or False?"),
        ("Q2.1", "If no, why?"),
        ("Q2.1", "(CL)."),
        ("Q2.3.4", "the above chart."),
        ("Q2.3.4", "moving around?"),
    ],
)
@pytest.mark.parametrize(
    "said",
    [
        "FALSE.",
        "**False**, views of one thing are the positives.",
        "- false",
        "False: views",
        "(No)",
        "Yes they do and it is the cats that come closer to each other in the chart",
        LONG,
    ],
)
def test_an_answer_between_two_sentences_of_a_prompt_is_found(
    item: str, sentence: str, said: str
) -> None:
    for prompt in (PROMPTS[item], RETYPED.get(item, PROMPTS[item])):
        line = prompt.replace(sentence, f"{sentence} {said}")
        assert asked_on_one_line(item, line).strip(SIGNS) == said.strip(SIGNS)
        both = asked_on_one_line(item, f"{line}\n\nFor example whales.")
        assert both.strip(SIGNS).startswith(said.strip(SIGNS))
        assert both.endswith("\n\nFor example whales.")
