"""Activities, feedback and what was answered to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from target_app.models import ACTIVITY_KINDS, FEEDBACK_STATUSES
from target_app.seeding import calendar, shapes
from target_app.seeding.columns import (
    NULL,
    Choices,
    Columns,
    Ints,
    Moments,
    Numbers,
    Texts,
)
from target_app.seeding.customers import Customers
from target_app.seeding.happenings import Happenings
from target_app.seeding.texts import NOTE_MEDIAN
from target_app.seeding.texts import Texts as Source

_KIND_SHARES = (0.3, 0.35, 0.1, 0.15, 0.1)
_WITH_BODY = 0.6
_SUBJECTS = 400
_FROM_CUSTOMERS = 0.8
_WITH_NPS = 0.6
_ANSWERED, _RESOLVED = 0.7, 0.8
_HOUR_US = 3600 * 10**6
_RESOLVED_AFTER_US = 8 * _HOUR_US


@dataclass(frozen=True, kw_only=True)
class Activities:
    """All activities, the oldest first."""

    random: np.random.Generator
    source: Source
    subjects: list[str]
    done: Happenings
    staff: int
    """How many users do them; their ids count from 1."""

    def __len__(self) -> int:
        return len(self.done)

    def columns(self, part: slice) -> Columns:
        """
        Draw the next rows: one part after the other, each of the same size.

        Parameters
        ----------
        part : slice
            Which: the one of id 1 is at 0.

        Returns
        -------
        Columns
        """
        random, size = self.random, part.stop - part.start
        subjects = np.array(self.subjects[:_SUBJECTS], object)
        users = random.integers(1, self.staff + 1, size)
        kind = shapes.choose(random, size, _KIND_SHARES)
        subject = random.integers(0, subjects.size, size)
        bodies: list[str | None] = [None] * size
        places = np.flatnonzero(random.random(size) < _WITH_BODY).tolist()
        for place, text in zip(
            places, self.source.draw(random, len(places), NOTE_MEDIAN), strict=True
        ):
            bodies[place] = text
        return {
            "id": Numbers(np.arange(part.start, part.stop) + 1),
            "customer_id": Numbers(self.done.customer[part]),
            "user_id": Numbers(users),
            "kind": Choices(kind, np.array(ACTIVITY_KINDS, object)),
            "subject": Choices(subject, subjects),
            "body": Texts(bodies),
            "occurred_at": Moments(self.done.at[part]),
        }


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """All feedback, the oldest first."""

    random: np.random.Generator
    source: Source
    people: Customers
    given: Happenings
    known: npt.NDArray[np.bool]
    """Whether we know whose it is."""
    score: npt.NDArray[np.int16]
    nps: Ints
    answered: Ints
    resolved: Ints
    assigned: Ints

    @classmethod
    def draw(
        cls,
        random: np.random.Generator,
        source: Source,
        people: Customers,
        staff: tuple[int, int],
    ) -> Feedback:
        """
        Draw it.

        Parameters
        ----------
        random : Generator
            The table's stream.
        source : Texts
            Where its words are from.
        people : Customers
            Who gives it.
        staff : tuple of int
            The first and the last id of the users who answer.

        Returns
        -------
        Feedback
        """
        size = round(shapes.FEEDBACK_PER_CUSTOMER * len(people))
        whose = random.integers(1, len(people) + 1, size, dtype=np.int32)
        given = Happenings.draw(random, whose, people.created, season=False)
        score = shapes.choose(random, size, shapes.SCORES) + 1
        nps = np.clip(score * 2 + random.integers(-1, 2, size), 0, 10)
        reply = given.at + (random.lognormal(np.log(5), 1.0, size) * _HOUR_US).astype(np.int64)
        # What would come after the epoch has not come yet.
        is_answered = (random.random(size) < _ANSWERED) & (reply < calendar.END)
        solved = reply + _RESOLVED_AFTER_US
        is_resolved = is_answered & (random.random(size) < _RESOLVED) & (solved < calendar.END)
        return cls(
            random=random,
            source=source,
            people=people,
            given=given,
            known=random.random(size) < _FROM_CUSTOMERS,
            score=score,
            nps=shapes.some(random, nps, _WITH_NPS),
            answered=np.where(is_answered, reply, NULL),
            resolved=np.where(is_resolved, solved, NULL),
            assigned=np.where(is_answered, random.integers(staff[0], staff[1] + 1, size), NULL),
        )

    def __len__(self) -> int:
        return len(self.given)

    def columns(self, part: slice) -> Columns:
        """
        Draw the next rows: one part after the other, each of the same size.

        Parameters
        ----------
        part : slice
            Which: the one of id 1 is at 0.

        Returns
        -------
        Columns
        """
        whose = self.given.customer[part].astype(np.int64)
        known, owner = self.known[part], self.people.owner[whose - 1]
        answered, resolved = self.answered[part], self.resolved[part]
        status = (answered != NULL).astype(np.int8) + (resolved != NULL)
        return {
            "id": Numbers(np.arange(part.start, part.stop) + 1),
            "customer_id": Numbers(np.where(known, whose, NULL)),
            "owner_id": Numbers(np.where(known, owner, NULL)),
            "name": Texts(self.people.names(whose)),
            "email": Texts(self.people.emails(whose)),
            "content": Texts(self.source.draw(self.random, whose.size)),
            "score": Numbers(self.score[part]),
            "nps": Numbers(self.nps[part]),
            "status": Choices(status, np.array(FEEDBACK_STATUSES, object)),
            "created_at": Moments(self.given.at[part]),
            "first_response_at": Moments(answered),
            "resolved_at": Moments(resolved),
            "assigned_to": Numbers(self.assigned[part]),
            "version": Numbers(np.ones(whose.size, np.int64)),
        }


@dataclass(frozen=True, kw_only=True)
class Responses:
    """One for each feedback that was answered, the oldest first."""

    random: np.random.Generator
    source: Source
    feedback: Ints
    at: Ints
    user: Ints

    @classmethod
    def to(cls, feedback: Feedback, random: np.random.Generator) -> Responses:
        """
        Respond.

        Parameters
        ----------
        feedback : Feedback
            All of it.
        random : Generator
            The table's stream.

        Returns
        -------
        Responses
        """
        places = np.flatnonzero(feedback.answered != NULL)
        places = places[np.argsort(feedback.answered[places], kind="stable")]
        return cls(
            random=random,
            source=feedback.source,
            feedback=places + 1,
            at=feedback.answered[places],
            user=feedback.assigned[places],
        )

    def __len__(self) -> int:
        return self.at.size

    def columns(self, part: slice) -> Columns:
        """
        Draw the next rows: one part after the other, each of the same size.

        Parameters
        ----------
        part : slice
            Which: the one of id 1 is at 0.

        Returns
        -------
        Columns
        """
        size = part.stop - part.start
        return {
            "id": Numbers(np.arange(part.start, part.stop) + 1),
            "feedback_id": Numbers(self.feedback[part]),
            "user_id": Numbers(self.user[part]),
            "content": Texts(self.source.draw(self.random, size)),
            "created_at": Moments(self.at[part]),
        }
