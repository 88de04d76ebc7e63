"""Bugs that a sender of transactions may have, each as a small patch, with the test that must notice it.

The first five are holes that other senders have, or had. A text that is to be replaced must stand in its file exactly
once: where the code moves on, its bug must move with it.
"""

from __future__ import annotations

from dataclasses import dataclass

MODEL = ("tests/faults/test_model.py", {"KEEPER_STEPS": "3000", "KEEPER_SHRINK": "0"})
SENDS = ("tests/faults/test_ambiguous_sends.py", {"KEEPER_SENDS": "100"})
REORGS = ("tests/faults/test_reorgs.py", {"KEEPER_REORGS": "50"})
KILLS = ("tests/faults/test_kill_matrix_late.py", {"KEEPER_SEEDS": "1"})
ERRORS = ("tests/unit/chain/sending/test_send_errors.py", {"KEEPER_FUZZED_ERRORS": "1000"})

Test = tuple[str, dict[str, str]]


def unit(name: str) -> Test:
    return f"tests/unit/{name}.py", {}


@dataclass(frozen=True, slots=True)
class Bug:
    """`changes` are (file of keeper/, text, other text)."""

    name: str
    test: Test
    changes: tuple[tuple[str, str, str], ...]


BUGS = (
    Bug(
        "an intent can get a second nonce",
        MODEL,
        (
            (
                "chain/sending/submitter.py",
                "transaction(self._chain_id, intent.nonce, call,",
                "transaction(self._chain_id, intent.nonce + len(intent.attempts), call,",
            ),
        ),
    ),
    Bug(
        "a replacement is broadcast before it is saved",
        MODEL,
        (
            (
                "chain/sending/submitter.py",
                "        intent = self._journal.attempt(intent.id, attempt, leaves=not is_held)\n",
                "        if intent.attempts:\n            self._rpc.send_raw(raw)\n"
                "        intent = self._journal.attempt(intent.id, attempt, leaves=not is_held)\n",
            ),
        ),
    ),
    Bug(
        "a time-out is taken for not sent",
        SENDS,
        (
            (
                "core/sending.py",
                "State.MAYBE_SENT: frozenset({State.SENT,",
                "State.MAYBE_SENT: frozenset({State.FINAL_CANCELLED, State.SENT,",
            ),
            (
                "chain/sending/submitter.py",
                "        if heard.taken:\n",
                '        if "no answer" in heard.said or "broke" in heard.said:\n'
                "            return self._journal.advance(intent.id, State.FINAL_CANCELLED)\n"
                "        if heard.taken:\n",
            ),
        ),
    ),
    Bug(
        "replacement underpriced is taken for success",
        unit("chain/sending/test_broadcasts"),
        (
            (
                "chain/sending/broadcasts.py",
                "taken = taken or kind is SendClass.KNOWN",
                "taken = taken or kind in (SendClass.KNOWN, SendClass.REPL)",
            ),
        ),
    ),
    Bug(
        "a failed receipt is final at zero confirmations",
        REORGS,
        (
            (
                "chain/sending/attempts.py",
                "        if depth >= rules.confirmations:",
                "        if depth >= rules.confirmations or not mined.status:",
            ),
            (
                "chain/sending/attempts.py",
                "    if seen.finalized >= mined.block_number:",
                "    if seen.finalized >= mined.block_number or not mined.status:",
            ),
        ),
    ),
    Bug(
        "a transaction is broadcast before it is durable",
        unit("test_cycle"),
        (
            ("cycle.py", "            sends = [", "            intents = ["),
            (
                "cycle.py",
                "self._submit(number, *each, snapshot) for",
                "(self._submit(number, *each, snapshot) or (lambda: None))() for",
            ),
            ("cycle.py", "        intents = [send() if send is not None else None for send in sends]\n", ""),
        ),
    ),
    Bug(
        "a remote key is asked before its nonce is durable",
        unit("chain/sending/test_submitter"),
        (("chain/sending/submitter.py", "if not self._signers[new.sender].is_here:", "if not self._signers:"),),
    ),
    Bug(
        "what is written together is not undone together",
        unit("journal/test_together"),
        (("journal/store.py", "            if self._is_torn:\n", "            if not self._place:\n"),),
    ),
    Bug(
        "a reorg that takes a transaction back goes unnoticed",
        REORGS,
        (
            (
                "chain/sending/attempts.py",
                'return Unmine(f"reorg: block {number} was replaced")',
                'return Wait(f"reorg: block {number} was replaced")',
            ),
        ),
    ),
    Bug(
        "receipts are not pinned to their block",
        REORGS,
        (
            (
                "chain/sending/attempts.py",
                "(known.hash, known.block_hash) != (mined.hash, mined.block_hash)",
                "known.hash != mined.hash",
            ),
        ),
    ),
    Bug(
        "final before finality",
        REORGS,
        (
            (
                "chain/sending/attempts.py",
                "    if seen.finalized >= mined.block_number:",
                "    if seen.head > mined.block_number:",
            ),
        ),
    ),
    Bug(
        "the journal does not say MAYBE_SENT before something leaves",
        SENDS,
        (
            (
                "chain/sending/submitter.py",
                "attempt(intent.id, attempt, leaves=not is_held)\n",
                "attempt(intent.id, attempt)\n",
            ),
            (
                "chain/sending/submitter.py",
                "        if intent.state is not State.MAYBE_SENT:\n",
                "        if intent.state not in (State.MAYBE_SENT, State.SIGNED):\n",
            ),
        ),
    ),
    Bug(
        "a used nonce is blamed on a stranger at once",
        unit("chain/sending/test_attempts"),
        (
            (
                "chain/sending/attempts.py",
                "if seen.final_nonce is not None and seen.final_nonce > intent.nonce:",
                "if seen.nonce > intent.nonce:",
            ),
        ),
    ),
    Bug(
        "a cancel that lost its race is told as a cancel",
        unit("chain/sending/test_submitter"),
        (
            (
                "chain/sending/attempts.py",
                "(attempt.purpose for attempt in intent.attempts if attempt.hash == mined.hash)",
                "(attempt.purpose for attempt in reversed(intent.attempts))",
            ),
        ),
    ),
    Bug(
        "a replacement offers less than nodes want",
        MODEL,
        (
            (
                "chain/sending/fees.py",
                "(WHOLE_BPS + self.bump_bps) // WHOLE_BPS), fee",
                "(WHOLE_BPS + 500) // WHOLE_BPS), fee",
            ),
        ),
    ),
    Bug(
        "replacements climb over the hard cap",
        unit("chain/sending/test_fees"),
        (("chain/sending/fees.py", "        if cap > fee_limit or step > tip_limit:", "        if step > tip_limit:"),),
    ),
    Bug(
        "a paused vault's trade is offered again",
        unit("chain/sending/test_attempts"),
        (
            (
                "chain/sending/attempts.py",
                '    if seen.stopped:\n        return Wait(f"{seen.stopped}; it',
                '    if not seen:\n        return Wait(f"{seen.stopped}; it',
            ),
        ),
    ),
    Bug(
        "two intents of one sender may be live",
        MODEL,
        (
            (
                "journal/rules.py",
                "if intent.state in LIVE and (shared := _shared(new, intent)):",
                "if not intent and (shared := _shared(new, intent)):",
            ),
            (
                "cycle.py",
                "if armed and (waiting := self._waits(decision, decision.view, busy)):",
                'if waiting := "":',
            ),
        ),
    ),
    Bug(
        "the nonce comes from the node, whatever the journal knows",
        unit("journal/test_contract"),
        (
            (
                "journal/rules.py",
                "    if following is None or chain_nonce == following:\n        return chain_nonce\n",
                "    if following is None or chain_nonce >= 0:\n        return chain_nonce\n",
            ),
        ),
    ),
    Bug(
        "a crash between confirmation and outcome loses the outcome",
        KILLS,
        (
            (
                "chain/sending/submitter.py",
                "                self._conclude(intent, sighting)\n"
                "                return advance(intent.id, State.CONFIRMED, mined=mined)\n",
                "                confirmed = advance(intent.id, State.CONFIRMED, mined=mined)\n"
                "                self._conclude(intent, sighting)\n"
                "                return confirmed\n",
            ),
        ),
    ),
    Bug(
        "an unknown refusal counts as never sent",
        ERRORS,
        (("chain/sending/send_errors.py", "SendClass.UNKNOWN)", "SendClass.FATAL)"),),
    ),
    Bug(
        "an answer to another request is believed",
        unit("chain/nodes/test_messages"),
        (("chain/nodes/messages.py", "(type(number) is int and number == expected)", "(type(number) is int)"),),
    ),
    Bug(
        "the receipt of another transaction is believed",
        unit("chain/sending/test_receipts"),
        (("chain/sending/receipts.py", "if receipt.hash != attempt.hash.lower():", "if not receipt.hash:"),),
    ),
    Bug(
        "success without effects passes for success",
        unit("chain/sending/test_receipts"),
        (
            (
                "chain/sending/receipts.py",
                "    if any(each.raw <= 0 for each in (*sold, *received)):",
                "    if any(each.raw < 0 for each in (*sold, *received)):",
            ),
        ),
    ),
    Bug(
        "a nonce that the node does not tell counts as zero",
        unit("chain/sending/test_sightings"),
        (
            (
                "chain/sending/sightings.py",
                '        raise TransientError(f"settling: the node gave no nonce of {sender}")',
                "        return 0",
            ),
        ),
    ),
    Bug(
        "a writer of an older epoch may write",
        unit("journal/test_store"),
        (("journal/sqlite_file.py", "            if row != (self.epoch,):", "            if row is None:"),),
    ),
    Bug(
        "signed attempts can be rewritten",
        unit("journal/test_triggers"),
        (("journal/triggers.py", 'APPEND_ONLY = ("attempts", "transitions",', 'APPEND_ONLY = ("transitions",'),),
    ),
    Bug(
        "a commit may still be in memory when something is sent",
        unit("journal/test_store"),
        (("journal/sqlite.py", '"synchronous = FULL"', '"synchronous = OFF"'),),
    ),
    Bug(
        "the signer's bytes are not compared with what was asked",
        unit("chain/sending/test_signers"),
        (("chain/sending/signers.py", "        check_signature(signature, message, self._address)\n", ""),),
    ),
    Bug(
        "the twin of a signature passes for it",
        unit("chain/sending/test_signed"),
        (("chain/sending/signed.py", "or not 0 < s <= LARGEST_S", "or not 0 < s < CURVE_ORDER"),),
    ),
    Bug(
        "the key signs a swap without a floor",
        unit("chain/sending/test_signing_policy"),
        (
            (
                "chain/sending/signing_policy.py",
                "swap.sell <= 0 or (swap.min_out <= 0 and router not in self.unfloored)",
                "swap.sell <= 0",
            ),
        ),
    ),
    Bug(
        "a key that drains starts something new",
        unit("journal/test_contract"),
        (
            (
                "journal/rules.py",
                "    if reason := halted(drain_scope(new.sender)):",
                '    if reason := "":',
            ),
        ),
    ),
    Bug(
        "an owner of a Safe may be paid back for gas, to anybody",
        unit("app/test_safe_policies"),
        (
            (
                "custody/atomic.py",
                "        if not isinstance(inner, str) and self.envelope.seal(operation) != data:",
                "        if not isinstance(inner, str) and len(self.envelope.seal(operation)) != len(data):",
            ),
        ),
    ),
    Bug(
        "an allowance of a Safe outlives its transaction",
        unit("custody/test_atomic"),
        (("custody/atomic.py", "(*before, *calls, *after)", "(*before, *calls)"),),
    ),
    Bug(
        "a module call that failed in silence passes for success",
        unit("chain/sending/test_receipts"),
        (
            (
                "chain/sending/receipts.py",
                "return replace(receipt, status=0) if any(says_so(log) for log in receipt.logs) else receipt",
                "return receipt",
            ),
        ),
    ),
    Bug(
        "a key that lost its right is not noticed",
        unit("custody/test_atomic"),
        (("custody/atomic.py", "        if told := self.envelope.standing(view):", '        if told := "":'),),
    ),
    Bug(
        "an upkeep is called again for the same time",
        unit("strategies/test_upkeep"),
        (
            (
                "strategies/upkeep.py",
                "if date is None or any(call.at >= date for call in view.history.calls):",
                "if date is None:",
            ),
        ),
    ),
    Bug(
        "a node that lags shows an upkeep due again",
        unit("strategies/test_upkeep"),
        (("strategies/upkeep.py", "bool(calls) and calls[-1].at > view.block.timestamp", "False"),),
    ),
    Bug(
        "an upkeep calls whatever its contract asks for",
        unit("guards/test_upkeeps"),
        (
            (
                "guards/upkeeps.py",
                "if (call.to, call.selector) in self.targets:",
                "if call.to in {to for to, _ in self.targets}:",
            ),
        ),
    ),
    Bug(
        "an upkeep's check is asked by somebody",
        unit("chain/reading/test_direct"),
        (("chain/reading/direct.py", '{"from": NOBODY, "to": read.to,', '{"to": read.to,'),),
    ),
)
