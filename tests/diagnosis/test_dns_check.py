"""Verdicts from answers, one by one: RFC 3263 §4 records of a provider, and what becomes of them on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.diagnosis.dns_check import Answer, Outcome, Said, Verdict, judge, suspects
from appliance.sip.transport.record_cache import Question

NAME = "sip.example"
A, AAAA = Question(NAME, "A"), Question(NAME, "AAAA")
UDP, TCP = Question(f"_sip._udp.{NAME}", "SRV"), Question(f"_sip._tcp.{NAME}", "SRV")
NAPTR = Question(NAME, "NAPTR")
EDGE = Question("edge.example", "A")

NO_NAME, NOTHING, SILENT = Answer(Outcome.NO_NAME), Answer(Outcome.NOTHING), Answer(Outcome.SILENT)
PUBLIC, ELSEWHERE = "47.100.1.1", "8.130.2.2"


def hosts(*addresses: str, aliases: tuple[str, ...] = ()) -> Answer:
    return Answer(Outcome.RECORDS, tuple((each,) for each in addresses), aliases)


def srv(*targets: str, port: int = 5060) -> Answer:
    return Answer(Outcome.RECORDS, tuple((0, 0, port, each) for each in targets))


def naptr(replacement: str) -> Answer:
    return Answer(Outcome.RECORDS, ((10, 0, "s", "SIP+D2U", replacement),))


def system(answers: dict[Question, Answer], host: str = "192.168.1.1") -> Said:
    return Said((host, 53), is_reference=False, answers=answers)


def reference(answers: dict[Question, Answer], host: str = "223.5.5.5") -> Said:
    return Said((host, 53), is_reference=True, answers=answers)


def verdict(ours: Answer, theirs: Answer, question: Question = A) -> Verdict:
    return judge([system({question: ours}), reference({question: theirs})]).verdict


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (hosts(PUBLIC), hosts(PUBLIC), Verdict.AGREE),
        (hosts(PUBLIC), hosts(ELSEWHERE, PUBLIC), Verdict.AGREE),
        (hosts("10.1.1.1"), hosts("10.1.1.1"), Verdict.AGREE),
        # RFC 2308: no such name, and no such record; then what is no answer at all.
        (NO_NAME, hosts(PUBLIC), Verdict.BLOCKED),
        (NOTHING, hosts(PUBLIC), Verdict.BLOCKED),
        (SILENT, hosts(PUBLIC), Verdict.BLOCKED),
        (Answer(Outcome.REFUSED), hosts(PUBLIC), Verdict.BLOCKED),
        (Answer(Outcome.FAILED), hosts(PUBLIC), Verdict.BLOCKED),
        (Answer(Outcome.GARBLED), hosts(PUBLIC), Verdict.BLOCKED),
        (Answer(Outcome.UNREACHABLE), hosts(PUBLIC), Verdict.BLOCKED),
        (hosts(aliases=("gone.example",)), hosts(PUBLIC), Verdict.BLOCKED),
        (hosts("203.1.2.3"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("127.0.0.1"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("0.0.0.0"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("192.168.1.1"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("198.18.0.7"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("224.0.0.1"), hosts(PUBLIC), Verdict.POISONED),
        # A bogus address is bogus beside a right one, and under the right alias too.
        (hosts(PUBLIC, "10.0.0.1"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("10.0.0.1", aliases=("e.cdn",)), hosts(PUBLIC, aliases=("e.cdn",)), Verdict.POISONED),
        (hosts(PUBLIC, aliases=("e.cdn",)), hosts(ELSEWHERE, aliases=("e.cdn",)), Verdict.LOCALITY),
        (hosts(PUBLIC, aliases=("e.cdn",)), hosts(ELSEWHERE, aliases=("f.cdn",)), Verdict.POISONED),
        (hosts("47.100.200.9"), hosts(PUBLIC), Verdict.LOCALITY),
        (hosts("47.101.1.1"), hosts(PUBLIC), Verdict.POISONED),
        (hosts("10.0.0.1"), NO_NAME, Verdict.ONLY_HERE),
        (hosts(PUBLIC), NOTHING, Verdict.ONLY_HERE),
        (NO_NAME, NO_NAME, Verdict.NOBODY_KNOWS),
        (SILENT, NO_NAME, Verdict.NOBODY_KNOWS),
        (hosts(PUBLIC), SILENT, Verdict.REFERENCE_UNREACHABLE),
        (NO_NAME, Answer(Outcome.REFUSED), Verdict.REFERENCE_UNREACHABLE),
        (SILENT, SILENT, Verdict.NO_ANSWER),
    ],
)
def test_addresses(ours: Answer, theirs: Answer, expected: Verdict) -> None:
    assert verdict(ours, theirs) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("2a01:1::1", "2a01:1::1", Verdict.AGREE),
        ("2a01:1:2::1", "2a01:1:3::1", Verdict.LOCALITY),
        ("2a01:2::1", "2a01:1::1", Verdict.POISONED),
        ("fd00::1", "2a01:1::1", Verdict.POISONED),
        ("::1", "2a01:1::1", Verdict.POISONED),
        ("::", "2a01:1::1", Verdict.POISONED),
    ],
)
def test_ipv6_addresses(ours: str, theirs: str, expected: Verdict) -> None:
    assert verdict(hosts(ours), hosts(theirs), AAAA) is expected


def test_srv_records_that_name_one_host_in_common_agree() -> None:
    assert verdict(srv("edge.example"), srv("edge.example", "other.example"), UDP) is Verdict.AGREE


def test_other_hosts_that_lead_nowhere_in_common_are_poisoned() -> None:
    assert verdict(srv("trap.example"), srv("edge.example"), UDP) is Verdict.POISONED
    assert verdict(naptr("_t.example"), naptr("_sip._udp.sip.example"), NAPTR) is Verdict.POISONED


def test_a_service_that_the_domain_does_not_offer_is_nothing() -> None:
    # RFC 2782: "a Target of "." means that the service is decidedly not available".
    assert verdict(srv(""), srv("edge.example"), UDP) is Verdict.BLOCKED
    assert verdict(srv(""), NO_NAME, UDP) is Verdict.NOBODY_KNOWS


def test_hosts_by_other_names_but_at_the_same_address_agree() -> None:
    ours = system({UDP: srv("a.example"), Question("a.example", "A"): hosts(PUBLIC)})
    theirs = reference({UDP: srv("b.example"), Question("b.example", "A"): hosts(PUBLIC)})
    assert judge([ours, theirs]).verdict is Verdict.AGREE


def test_a_host_is_looked_at_behind_an_srv_record() -> None:
    ours = system({UDP: srv("edge.example"), EDGE: hosts("127.0.0.1")})
    theirs = reference({UDP: srv("edge.example"), EDGE: hosts(PUBLIC)})
    assert judge([ours, theirs]).about == (EDGE,)
    assert judge([ours, theirs]).verdict is Verdict.POISONED


def test_what_only_one_side_had_reason_to_ask_is_not_compared() -> None:
    ours = system({UDP: NO_NAME})
    theirs = reference({UDP: srv("edge.example"), EDGE: hosts(PUBLIC)})
    judgement = judge([ours, theirs])
    assert (judgement.verdict, judgement.about) == (Verdict.BLOCKED, (UDP,))


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ({NAPTR: SILENT, UDP: srv("e.example")}, Verdict.AGREE),  # RFC 3263 §4.1: SRV records do as well
        ({NAPTR: srv("e.example"), UDP: NO_NAME}, Verdict.BLOCKED),
        ({NAPTR: SILENT, UDP: NO_NAME}, Verdict.BLOCKED),
    ],
)
def test_no_naptr_is_a_loss_only_without_srv(ours: dict[Question, Answer], expected: Verdict) -> None:
    theirs = reference({NAPTR: naptr("e.example"), UDP: srv("e.example")})
    assert judge([system(ours), theirs]).verdict is expected


def test_no_ipv6_is_a_loss_only_without_ipv4() -> None:
    both = reference({A: hosts(PUBLIC), AAAA: hosts("2a01:1::1")})
    assert judge([system({A: hosts(PUBLIC), AAAA: NOTHING}), both]).verdict is Verdict.AGREE
    assert judge([system({A: NOTHING, AAAA: NOTHING}), both]).about == (A, AAAA)
    # DNS64 makes IPv6 addresses that nobody else knows (RFC 6147).
    made = system({A: hosts(PUBLIC), AAAA: hosts("64:ff9b::2f64:101")})
    assert judge([made, reference({A: hosts(PUBLIC), AAAA: NOTHING})]).verdict is Verdict.AGREE


def test_the_gravest_question_settles_it_and_is_named() -> None:
    ours = system({UDP: NO_NAME, TCP: NO_NAME, A: hosts("203.1.2.3"), AAAA: NOTHING})
    theirs = reference({UDP: srv("e.example"), TCP: NO_NAME, A: hosts(PUBLIC), AAAA: NOTHING})
    judgement = judge([ours, theirs])
    assert (judgement.verdict, judgement.about) == (Verdict.POISONED, (A,))


def test_the_first_server_that_answers_is_the_one_that_counts() -> None:
    theirs = reference({A: hosts(PUBLIC)})
    silent, good, liar = (
        system({A: SILENT}), system({A: hosts(PUBLIC)}, "192.168.1.2"), system({A: hosts("203.1.2.3")}, "192.168.1.3"),
    )  # fmt: skip
    assert judge([silent, good, liar, theirs]).verdict is Verdict.AGREE
    assert judge([silent, liar, good, theirs]).verdict is Verdict.POISONED
    # NXDOMAIN is an answer: nobody asks another server after it.
    assert judge([system({A: NO_NAME}), good, theirs]).verdict is Verdict.BLOCKED


def test_one_reference_that_answers_is_enough() -> None:
    silent = reference({A: SILENT}, "119.29.29.29")
    assert judge([system({A: NO_NAME}), silent, reference({A: hosts(PUBLIC)})]).verdict is Verdict.BLOCKED


def test_without_any_server_of_the_system_nothing_is_known_here() -> None:
    assert judge([reference({A: hosts(PUBLIC)})]).verdict is Verdict.BLOCKED
    assert judge([]).verdict is Verdict.NO_ANSWER
    assert judge([system({A: hosts(PUBLIC)})]).verdict is Verdict.REFERENCE_UNREACHABLE


def test_servers_that_both_answer_sip_are_one_provider_s() -> None:
    said = [
        system({UDP: srv("a.example", port=5070), Question("a.example", "A"): hosts(PUBLIC)}),
        reference({UDP: srv("b.example"), Question("b.example", "A"): hosts(ELSEWHERE)}),
    ]
    assert suspects(said) == ((PUBLIC, 5070), (ELSEWHERE, 5060))
    assert judge(said, {PUBLIC}).verdict is Verdict.POISONED
    assert judge(said, {PUBLIC, ELSEWHERE}).verdict is Verdict.LOCALITY


def test_only_public_addresses_are_asked_and_few() -> None:
    many = [f"203.1.{each}.1" for each in range(9)]
    said = [system({A: hosts(*many)}), reference({A: hosts(PUBLIC)})]
    assert suspects(said) == (("203.1.0.1", 5060), ("203.1.1.1", 5060), (PUBLIC, 5060))
    assert suspects([system({A: hosts("192.168.1.1")}), reference({A: hosts(PUBLIC)})]) == ()
    assert suspects([system({A: hosts(PUBLIC)}), reference({A: hosts(PUBLIC)})]) == ()


def test_who_answers_at_a_private_address_makes_it_no_better() -> None:
    said = [system({A: hosts("10.0.0.1")}), reference({A: hosts(PUBLIC)})]
    assert judge(said, {"10.0.0.1", PUBLIC}).verdict is Verdict.POISONED


ADDRESSES = st.sampled_from([PUBLIC, ELSEWHERE, "47.100.9.9", "10.0.0.1", "0.0.0.0", "2a01:1::1", "fd00::1"])
NAMES = st.sampled_from(["edge.example", NAME, "x.cdn", ""])


def answers_to(question: Question) -> st.SearchStrategy[Answer]:
    records: dict[str, Callable[[], st.SearchStrategy[Answer]]] = {
        "A": lambda: st.lists(ADDRESSES, min_size=1, max_size=3).map(lambda each: hosts(*each)),
        "AAAA": lambda: st.lists(ADDRESSES, min_size=1, max_size=3).map(lambda each: hosts(*each)),
        "SRV": lambda: st.lists(NAMES, min_size=1, max_size=3).map(lambda each: srv(*each)),
        "NAPTR": lambda: NAMES.map(naptr),
    }
    nothing = st.sampled_from([each for each in Outcome if each is not Outcome.RECORDS]).map(Answer)
    return st.one_of(nothing, records[question.kind]())


def said_by(*, is_reference: bool) -> st.SearchStrategy[Said]:
    answers = st.fixed_dictionaries(
        {}, optional={each: answers_to(each) for each in (A, AAAA, UDP, TCP, NAPTR, EDGE)}
    )
    return answers.map(reference if is_reference else system)


SYSTEM = st.lists(said_by(is_reference=False), max_size=3)
REFERENCES = st.lists(said_by(is_reference=True), max_size=3)


@given(SYSTEM, REFERENCES)
def test_there_is_a_verdict_on_everything(ours: list[Said], theirs: list[Said]) -> None:
    judgement = judge([*ours, *theirs])
    assert judgement.verdict in Verdict
    unsettled = (Verdict.REFERENCE_UNREACHABLE, Verdict.NO_ANSWER)
    assert bool(judgement.about) == (judgement.verdict not in unsettled)
    assert judge([*ours, *reversed(theirs)]).verdict is judgement.verdict


@given(said_by(is_reference=True))
def test_who_says_what_the_references_say_agrees(theirs: Said) -> None:
    assert judge([system(dict(theirs.answers)), theirs]).verdict not in {
        *(Verdict.POISONED, Verdict.BLOCKED, Verdict.ONLY_HERE, Verdict.LOCALITY),
    }


@given(SYSTEM, REFERENCES)
def test_whom_sip_answers_only_ever_clears_a_suspicion(ours: list[Said], theirs: list[Said]) -> None:
    said = [*ours, *theirs]
    before = judge(said).verdict
    after = judge(said, {host for host, _ in suspects(said)}).verdict
    assert after is before or before is Verdict.POISONED
