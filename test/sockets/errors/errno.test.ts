/** The table from errno to codes: every name that a socket call can give has a line, or a reason to have none. */

import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { systemError } from "../../../src/node/errno.ts";
import { assertErrorShape } from "../../../src/testing/expect-error.ts";

/** Names that no call of a socket gives on the systems that are supported: files, processes, terminals, STREAMS, maths. */
const ELSEWHERE =
  "E2BIG EBADMSG EBUSY ECHILD EDEADLK EDOM EDQUOT EEXIST EFBIG EIDRM EILSEQ EISDIR EMLINK EMULTIHOP ENODATA ENOEXEC ENOLCK " +
  "ENOLINK ENOMSG ENOSR ENOSTR ENOTEMPTY ENOTTY ENXIO EOVERFLOW ERANGE ESPIPE ESRCH ESTALE ETIME ETXTBSY EXDEV";

/**
 * Names that a socket call can give and that say nothing a program could act on: the runtime handles them (EINTR,
 * EINPROGRESS, EALREADY), or they show a fault of the runtime or of the disk (EFAULT, EIO, ENOSPC). `cause` has them.
 */
const LEFT_AS_THEY_ARE = "EINTR EINPROGRESS EALREADY EFAULT EIO ENOSPC";

const context = { op: "setTtl", local: "tcp://127.0.0.1:1", remote: "tcp://127.0.0.1:2" };

function codeFor(code: string): string {
  const error = systemError(Object.assign(new Error(`read ${code}`), { code, syscall: "read" }), context);
  assertErrorShape(error);
  assert.equal((error.cause as NodeJS.ErrnoException).code, code);
  return error.code;
}

test("every errno of a socket call has a code of its own, except those that are left as they are", () => {
  const rest = new Set([...ELSEWHERE.split(" "), ...LEFT_AS_THEY_ARE.split(" ")]);
  const names = Object.keys(constants.errno).filter((name) => !name.startsWith("WSA"));
  const missing = names.filter((name) => !rest.has(name) && codeFor(name) === "SYSTEM_ERROR");
  assert.deepEqual(missing, []);
});

test("those that are left are SYSTEM_ERROR, with what the system said", () => {
  for (const name of LEFT_AS_THEY_ARE.split(" ")) assert.equal(codeFor(name), "SYSTEM_ERROR", name);
  const error = systemError(Object.assign(new Error("read EIO"), { code: "EIO" }), context);
  assert.match(error.detail, /read EIO/);
});

test("what is no error of the system is SYSTEM_ERROR too", () => {
  for (const thrown of [undefined, null, "text", 5, {}, new Error("x"), { code: 5 }]) {
    const error = systemError(thrown, context);
    assertErrorShape(error);
    assert.equal(error.code, "SYSTEM_ERROR");
  }
});
