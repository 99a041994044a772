/** What the options of a server of sessions must look like. */

import type { Methods } from "../../../core/contract/contract.ts";
import type { SessionStore } from "../../../core/session/resume/session-store.ts";
import {
  countFrom,
  FROM_ZERO,
  FUNCTION,
  only,
  OPERATION_RULES,
  options as object,
  type RulesOf,
  wholeNumber,
} from "../../../core/options/check-options.ts";
import { LISTEN_RULES, LISTENER_LIMIT_RULES } from "../../listener/listen.ts";
import type { CloseSessionsOptions, ServerResumeOptions, SessionServerLimits, SessionServerOptions } from "./public.ts";
import { RESUME_RULES, SESSION_LIMIT_RULES, TUNING_RULES } from "../settings.ts";

/** Options whose types do not matter here. */
export type AnyServerOptions = SessionServerOptions<Methods, unknown> & { readonly handlers?: object };

const STORE_FUNCTIONS = ["get", "create", "replace", "detach", "charge", "expire", "remove"] as const;
/** What the options of `serveSessions` must look like. */
export const SERVE_SESSIONS_RULES: RulesOf<AnyServerOptions> = {
  ...only(LISTEN_RULES, "signal", "timeoutMs", "allow", "deny", "proxyProtocol", "tls", "tcp", "mode", "fd"),
  ...TUNING_RULES,
  limits: object({
    ...SESSION_LIMIT_RULES,
    ...only(LISTENER_LIMIT_RULES, "maxBacklog", "maxConnections", "maxConnectionsPerAddress"),
    maxSessions: countFrom(0),
    maxSessionsPerAddress: countFrom(0),
    maxSessionsPerPrincipal: countFrom(1),
    maxUnauthenticated: countFrom(1),
    maxHeldBytes: FROM_ZERO,
    maxHeldBytesPerPrincipal: FROM_ZERO,
  } satisfies RulesOf<SessionServerLimits>),
  resume: object({
    ...RESUME_RULES,
    resumeTimeoutMs: FROM_ZERO,
    store: {
      wanted: "an object with the functions of a SessionStore",
      holds: (value) =>
        STORE_FUNCTIONS.every((name) => typeof (value as Partial<SessionStore> | null)?.[name] === "function"),
    },
  } satisfies RulesOf<ServerResumeOptions>),
  authenticate: FUNCTION,
  data: FUNCTION,
  onOpen: FUNCTION,
  onResume: FUNCTION,
  onClose: FUNCTION,
  onError: FUNCTION,
};

/** What a client can be told to wait at most: the field of the GOAWAY has 32 bits, and its largest number means never. */
const LONGEST_SPREAD_MS = 0xffff_fffe;
/** What the options of its `close` must look like. */
export const CLOSE_SESSIONS_RULES: RulesOf<CloseSessionsOptions> = {
  ...OPERATION_RULES,
  reconnectSpreadMs: wholeNumber(0, LONGEST_SPREAD_MS),
};
