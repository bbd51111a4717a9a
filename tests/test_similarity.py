"""What is alike, among answers that were invented for it."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from processor_time import within

from grader.model import Criterion, Item
from grader.model.assignment import Retired
from grader.similarity import (
    Document,
    find_code_pairs,
    find_examples,
    find_similar_pairs,
    find_suggestions,
    group_answers,
    measure_agreement,
)

PROMPT = "Why are skip connections useful in deep networks? Think about how gradients propagate."
ITEM = Item(
    id="Q1",
    title="Skip connections",
    points=Fraction(6),
    kind="written",
    source="handout",
    prompt=PROMPT,
    good_answer="Adding the input to the output gives the gradient a path past the weights, so it "
    "does not vanish. A block only learns the residual and can fall back to the identity.",
    criteria=(
        Criterion(
            id="gradient",
            text="Gradients reach early layers through the shortcut, so they vanish less",
            points=Fraction(3),
            keywords=("gradient", "vanish", "shortcut"),
        ),
        Criterion(
            id="residual",
            text="Blocks learn a residual and can stay near the identity",
            points=Fraction(2),
            keywords=("residual", "identity mapping", "degradation"),
        ),
    ),
)
ADA = (
    "When a network gets very deep, the signal that flows backwards shrinks with every layer it "
    "has to cross. A skip connection hands it a road around the block, so the first layers still "
    "hear from the loss. I also like to think that each block then only has to say what it would "
    "change about its input."
)
BEN_COPIES_ADA = (
    "In my opinion when a network gets very deep, the signal that flows backwards shrinks with "
    "each layer it has to cross. A skip connection hands it a road around the block, so the first "
    "layers still hear from the loss. That is why they are useful."
)
CLEO_ALONE = (
    "Multiplying many small derivatives makes the gradient vanish before it arrives at the front "
    "of the model. The shortcut adds one to the derivative of the block, which keeps the product "
    "away from zero. If a block is of no use, it can learn to be the identity mapping."
)
DAN_ALONE = (
    "Without shortcuts, plain nets of fifty layers train worse than those of twenty. With them, "
    "what a block has to learn is a residual, which is easy to push to zero."
)


def named(*texts: str) -> dict[str, str]:
    return {f"s{number}": text for number, text in enumerate(texts)}


def documents(*texts: str) -> list[Document]:
    return [Document(name=name, text=text) for name, text in named(*texts).items()]


# ---------------------------------------------------------------- pairs


def test_a_copy_with_a_few_words_changed_is_found_with_its_passages() -> None:
    (pair,) = find_similar_pairs(documents(ADA, CLEO_ALONE, BEN_COPIES_ADA, DAN_ALONE))

    assert (pair.first, pair.second) == ("s0", "s2")
    assert pair.share > 0.6
    passage = pair.passages[-1]
    assert ADA[passage.first.begin : passage.first.end].endswith("hear from the loss")
    assert BEN_COPIES_ADA[passage.second.begin : passage.second.end].endswith("hear from the loss")


def test_the_same_thought_in_other_words_is_no_pair() -> None:
    assert find_similar_pairs(documents(ADA, CLEO_ALONE, DAN_ALONE)) == ()


def test_quoting_the_prompt_is_no_pair() -> None:
    texts = [f"{PROMPT} {word} is what I would say about that." for word in ("This", "Something")]
    long_prompt = [f"{PROMPT} {PROMPT[::-1]} {word}." for word in ("alpha", "beta")]

    assert find_similar_pairs(documents(*texts), shared_texts=[PROMPT]) == ()
    assert len(find_similar_pairs(documents(*long_prompt), shared_texts=[])) == 1


def test_short_answers_and_set_phrases_are_no_pairs() -> None:
    said = ["Yes, by augmentation.", "yes by augmentation", "Yes, by augmentation of C1!"]

    assert find_similar_pairs(documents(*said)) == ()


def test_what_many_wrote_is_common_property() -> None:
    definition = (
        "contrastive learning pulls positive pairs together and pushes negative pairs apart"
    )
    many = [f"{definition}, and number {n} adds {w}" for n, w in enumerate("abcdefghij" * 6)]

    assert find_similar_pairs(documents(*many)) == ()


def test_a_long_passage_that_many_wrote_is_common_property_and_that_two_wrote_is_not() -> None:
    definition = (
        "contrastive learning pulls the embeddings of positive pairs together while it pushes the "
        "embeddings of negative pairs apart until both are told by their distance alone"
    )
    many = [f"{definition}, and number {n} adds {w}" for n, w in enumerate("abcdefghij" * 6)]

    assert find_similar_pairs(documents(*many)) == ()
    assert len(find_similar_pairs(documents(*many[:2]))) == 1


def test_two_submissions_of_one_team_are_no_pair() -> None:
    ours = [
        Document(name=name, text=ADA, team=frozenset({"ax01", name}))
        for name in ("first", "second")
    ]

    assert find_similar_pairs(ours) == ()
    assert len(find_similar_pairs([replace(one, team=frozenset({one.name})) for one in ours])) == 1


def test_order_changes_nothing() -> None:
    texts = named(ADA, CLEO_ALONE, BEN_COPIES_ADA, DAN_ALONE)
    there = [Document(name=name, text=text) for name, text in texts.items()]

    assert find_similar_pairs(there) == find_similar_pairs(there[::-1])
    assert group_answers(texts) == group_answers(dict(reversed(texts.items())))
    assert find_suggestions(ITEM, answers=texts) == find_suggestions(
        ITEM, answers=dict(reversed(texts.items()))
    )


LOOP = """
for step in range(200):
    optimizer.zero_grad()   # start anew
    one, two, three = (model(x) for x in images)
    loss = margin - score(one, two) + score(one, three) * weight
    if step % 50 == 0 and loss > 0.25:
        history.append((step, loss.item()))
    loss.backward(); optimizer.step()
"""
RENAMED = (
    LOOP.replace("step in", "k in").replace("step %", "k %").replace("(step,", "(k,")
    .replace("optimizer", "opt").replace("one", "e1").replace("history", "log")
    .replace("# start anew", "# zero").replace("200", "200 ")
)  # fmt: skip
OTHER = """
def fit(model, images, *, rounds):
    losses = []
    while len(losses) < rounds:
        vectors = [model(image) for image in images]
        losses.append(objective(*vectors))
        losses[-1].backward()
        optimizer.step()
        optimizer.zero_grad()
    return losses
"""


def test_code_with_other_names_and_comments_is_a_pair_and_other_code_is_none() -> None:
    found = find_code_pairs(documents(LOOP, OTHER, RENAMED))

    assert [(pair.first, pair.second) for pair in found] == [("s0", "s2")]
    assert found[0].share > 0.9


def test_given_code_is_no_pair_even_where_it_does_not_parse() -> None:
    mine, theirs = f"{LOOP}\nx = (", f"{LOOP}\nprint('mine'"

    assert find_code_pairs(documents(mine, theirs), shared_texts=[LOOP]) == ()
    assert len(find_code_pairs(documents(mine, theirs))) == 1


# ---------------------------------------------------------------- groups


def test_answers_alike_stand_together_and_empty_ones_apart() -> None:
    yes = "Yes. An augmented copy of C1 is the positive, B1 is the negative, C1 the reference."
    texts = named(
        yes,
        yes.replace("copy", "version"),
        "No, we can not, since two images of one class are needed for a positive pair.",
        "  \n",
        "Yes: an augmented copy of C1 as positive, B1 as negative and C1 as reference sample.",
        "...",
    )

    groups = group_answers(texts)

    assert set(groups[0].names) == {"s0", "s1", "s4"}
    assert [set(group.names) for group in groups[1:]] == [{"s2"}, {"s3", "s5"}]
    assert [group.empty for group in groups] == [False, False, True]


@pytest.mark.parametrize("texts", [(), ("",), ("alone",), ("?", "!"), ("a", "a"), ("\ud800 x",)])
def test_few_answers_and_strange_ones_make_groups_too(texts: tuple[str, ...]) -> None:
    groups = group_answers(named(*texts))

    assert sorted(name for group in groups for name in group.names) == sorted(named(*texts))


# ---------------------------------------------------------------- suggestions


def test_the_sentence_that_meets_a_criterion_is_suggested() -> None:
    found = find_suggestions(ITEM, answers=named(CLEO_ALONE, DAN_ALONE))
    said = {
        (name, one.criterion): texts[one.span.begin : one.span.end]
        for name, texts in named(CLEO_ALONE, DAN_ALONE).items()
        for one in found[name]
    }

    assert "gradient vanish" in said["s0", "gradient"]
    assert "identity mapping" in said["s0", "residual"]
    assert "a residual" in said["s1", "residual"]


@pytest.mark.parametrize("retired", ["kept", "dropped"])
def test_nothing_is_suggested_for_a_criterion_that_is_not_given_any_more(retired: Retired) -> None:
    gradient, residual = ITEM.criteria
    item = replace(ITEM, criteria=(gradient, replace(residual, retired=retired)))

    found = find_suggestions(item, answers=named(CLEO_ALONE, DAN_ALONE))

    assert {one.criterion for suggested in found.values() for one in suggested} == {"gradient"}
    alone = replace(item, criteria=item.criteria[1:])
    assert find_suggestions(alone, answers=named(CLEO_ALONE))["s0"] == ()


def test_nothing_is_suggested_for_what_is_beside_the_point() -> None:
    off = "I did not have time for this one. My dog was ill and the deadline was on a Friday."

    assert find_suggestions(ITEM, answers=named(off, "", "42", CLEO_ALONE))["s0"] == ()


def test_confidences_lie_between_0_and_1() -> None:
    stuffed = "gradient vanish shortcut residual identity mapping degradation " * 50
    found = find_suggestions(ITEM, answers=named(stuffed, ADA, CLEO_ALONE))

    assert all(0 <= one.confidence <= 1 for its in found.values() for one in its)


# ---------------------------------------------------------------- examples


ASKED = "Can you think of a real world example where contrastive learning is a better choice?"


def test_examples_that_coincide_are_counted() -> None:
    used = find_examples(
        named(
            "False. For example medical imaging: X-ray scans are plenty and radiologists dear.",
            "False, an example is medical images such as MRI scans, which few can label.",
            "False. Consider satellite photographs of fields, where crops are hard to label.",
            "False. For instance whale songs: hydrophones record for years, nobody listens.",
            "It is false.",
        ),
        subject_texts=[ASKED, "labels are rare"],
    )

    assert used["s0"].shared_by == ("s1",)
    assert used["s1"].shared_by == ("s0",)
    assert used["s2"].shared_by == used["s3"].shared_by == ()
    assert "medical" in used["s0"].words
    assert {"whale", "songs"} & set(used["s3"].words)
    assert used["s4"].words == ()


def test_words_that_staff_know_come_first() -> None:
    texts = named("False, for example in zoos where many keepers photograph okapis daily.")

    assert find_examples(texts, vocabulary=["okapi"])["s0"].words[0] == "okapis"


# ---------------------------------------------------------------- agreement


def test_agreement_is_honest_with_few() -> None:
    none, few, many = (measure_agreement([(True, True)] * count) for count in (0, 3, 300))

    assert none.share is None
    assert (none.low, none.high) == (0.0, 1.0)
    assert few.share == many.share == 1.0
    assert few.low < 0.5
    assert many.low > 0.98
    assert measure_agreement([(True, False), (False, False)]).share == 0.5


# ---------------------------------------------------------------- bounds

WORDS = [f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in ("nt", "rm", "sk", "x")]


def made_up(rng: random.Random, sentences: int) -> str:
    said = (" ".join(rng.choices(WORDS, k=rng.randint(6, 16))) for _ in range(sentences))
    return ". ".join(said)


HOSTILE = (
    "x " * 500_000,
    "a b " * 25_000,
    "word" * 250_000,
    "\n" * 1_000_000,
    "- " * 200_000,
    ". . . " * 100_000,
    "\ud800\x00\u202e" * 50_000,
    "'''" * 100_000,
    '"\\' * 100_000,
)


def test_hostile_answers_take_little_time() -> None:
    texts = named(*HOSTILE, *HOSTILE, ADA)
    with within(10):
        group_answers(texts)
        find_similar_pairs(documents(*texts.values()))
        find_code_pairs(documents(*texts.values()))
        find_suggestions(ITEM, answers=texts)
        find_examples(texts, subject_texts=[PROMPT])


@pytest.mark.slow
def test_a_class_of_300_with_8_items_takes_seconds() -> None:
    rng = random.Random(7)  # noqa: S311 (the same texts each time)
    items = [named(*(made_up(rng, 5) for _ in range(300))) for _ in range(8)]
    with within(15):
        for answers in items:
            group_answers(answers)
            find_similar_pairs(
                [Document(name=name, text=text) for name, text in answers.items()],
                shared_texts=[PROMPT],
            )
            find_suggestions(ITEM, answers=answers)
            find_examples(answers, subject_texts=[PROMPT])
