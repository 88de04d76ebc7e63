"""An upkeep: a contract says itself whether it wants to be called, and with what.

What it replies is a stranger's word. It may make the keeper hold; it may fill the arguments of a call whose target and
function the configuration names, which the allow-list sees to; and its text is cut and made printable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from keeper.core.abi import WORD, calldata, selector, word
from keeper.core.calls import Call, Purpose
from keeper.core.chain import Read, VaultView
from keeper.core.foreign import printable
from keeper.core.plan import Hold, Perform
from keeper.core.replies import MOST, Reverted, TooLarge, parse_reply
from keeper.core.units import Address
from keeper.strategies.calendar import Calendar, utc

MOST_TOLD = 120
"""Characters of what a contract says for itself."""

LOOKUPS = {
    selector("StreamsLookup(string,string[],string,uint256,bytes)"): "StreamsLookup",
    selector("FeedLookup(string,string[],string,uint256,bytes)"): "FeedLookup, the first form of StreamsLookup",
    selector("ChainlinkAPIFetch(string,bytes,string[],bytes4)"): "ChainlinkAPIFetch",
    selector("OffchainLookup(address,string[],bytes,bytes4,bytes)"): "OffchainLookup (CCIP read)",
}
"""Reverts by which a check asks whoever runs it to fetch something: from Chainlink's StreamsLookupCompatibleInterface
and its predecessors, and from EIP-3668."""

UNCLEAR = frozenset({"behind", "unanswered", "garbage", "lookup", "reverts"})
"""Codes of holds that say nothing of whether the upkeep is due: people should hear of them if they last."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the contract is asked, and how its yes becomes a call.

    `wrap` is the function that takes the bytes of a `(bool, bytes)` reply; where it is empty, those bytes are the whole
    calldata. Where the call is `fixed`, only the first word of the reply counts.
    """

    read: Read
    text: str
    """The function, for people: `checkUpkeep(bytes)`."""
    wrap: str = ""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Calls `target` when `check` says so; without a check, once for each of its `times`.

    Guarantees: what cannot be understood is a Hold with the reason. Does not guarantee that the call is allowed: the
    guards judge its bytes.
    """

    target: Address
    check: Check | None
    explain: Callable[[bytes], str]
    """The data of a revert in words: one line, harmless."""
    fixed: bytes = b""
    """Calldata that is always the same."""
    function: str = ""
    """What the call is, for people: `performUpkeep(bytes)`."""
    times: Calendar | None = None
    """When it is due, where nothing is asked."""

    def plan(self, view: VaultView) -> Hold | Perform:
        if self._is_behind(view):
            return Hold("behind", "the block is older than the upkeep's last call: what it shows is over")
        if self.check is None:
            return self._by_time(view)
        answer = view.extra.get(self.check.read)
        if answer is None:
            return Hold("unanswered", f"{self._asked}: the node gave no answer")
        reply = parse_reply(answer)
        if isinstance(reply, Reverted):
            return self._refused(reply.data)
        if isinstance(reply, TooLarge):
            return Hold("garbage", f"{self._asked}: expected at most {MOST:,} bytes, found more")
        return self._judge(reply, self.check)

    def _by_time(self, view: VaultView) -> Hold | Perform:
        """One call for each time, reverted or not: what history has a call for is over."""
        assert self.times is not None, "an upkeep has a check or times"
        now = view.block.timestamp
        date = self.times.latest(now, view.history.seed)
        if date is None or any(call.at >= date for call in view.history.calls):
            return Hold("not_due", f"not due: its next time is {utc(self.times.after(now))}")
        return self._perform(self.fixed, f"its time of {utc(date)} has come")

    @property
    def _asked(self) -> str:
        assert self.check is not None, "only asked of one that has a check"
        return f"{self.check.text} of {_short(self.check.read.to)}"

    def _is_behind(self, view: VaultView) -> bool:
        """A node that lags shows the state from before the call, where it is still due."""
        calls = view.history.calls
        return bool(calls) and calls[-1].at > view.block.timestamp

    def _refused(self, data: bytes) -> Hold:
        if lookup := LOOKUPS.get(data[:4]):
            says = f"it needs {lookup}, which only the network that it was written for answers"
            return Hold("lookup", f"{self._asked}: {says}")
        return Hold("reverts", f"{self._asked} reverts: {self.explain(data)}")

    def _judge(self, reply: bytes, check: Check) -> Hold | Perform:
        try:
            is_due, data = (_flag(reply), b"") if self.fixed else _flag_and_bytes(reply)
        except ValueError as error:
            return Hold("garbage", f"{self._asked}: {error}")
        if not is_due:
            return Hold("not_due", f"{self._asked}: not due{_said(data)}")
        if not self.fixed and not check.wrap and len(data) < 4:
            return Hold("garbage", f"{self._asked}: expected calldata, found {len(data)} bytes")
        call = self.fixed or (calldata(check.wrap, data) if check.wrap else data)
        return self._perform(call, f"{self._asked} says that it is due")

    def _perform(self, data: bytes, reason: str) -> Perform:
        is_known = self.function and selector(self.function) == data[:4]
        says = f"call {self.function if is_known else f'0x{data[:4].hex()}'} of {_short(self.target)}"
        return Perform(reason, (Call(self.target, data, 0, Purpose.UPKEEP, says),))


def _flag(reply: bytes) -> bool:
    """A boolean in the first word. Raises ValueError."""
    if len(reply) < WORD:
        raise ValueError(f"expected a bool, found {_size(reply)}")
    figure = word(reply, 0)
    if figure > 1:
        raise ValueError(f"expected a bool, found 0x{reply[:WORD].hex()}")
    return bool(figure)


def _flag_and_bytes(reply: bytes) -> tuple[bool, bytes]:
    """Raises ValueError."""
    _flag(reply)
    try:
        found: tuple[bool, bytes] = decode(["bool", "bytes"], reply)
    except (DecodingError, OverflowError):
        raise ValueError(f"expected a bool and bytes, found {_size(reply)} of something else") from None
    return found


def _size(reply: bytes) -> str:
    return f"{len(reply):,} bytes" if reply else "nothing: is there a contract?"


def _said(data: bytes) -> str:
    """Many checks give their reason as text in place of calldata."""
    try:
        text = data.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return ""
    return f": {printable(text, MOST_TOLD)}" if text and text.isprintable() else ""


def _short(address: Address) -> str:
    return f"{address[:6]}…{address[-4:]}"
