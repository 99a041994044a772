/**
 * Contracts: what two programs agree on.
 *
 * @packageDocumentation
 */

export {
  bytes,
  type InputOf,
  isBytes,
  type OutputOf,
  type Schema,
  type SchemaOrNone,
  type SchemaProperties,
  typeOnly,
  type TypeOnly,
} from "./core/contract/schema.ts";
export {
  type Contract,
  type ContractOptions,
  type ContractSides,
  contract,
  type Methods,
  type NoMethods,
} from "./core/contract/contract.ts";
export { describeContract, type DescribeOptions } from "./core/contract/describe.ts";
export { type ContractChange, type ContractDiff, diffContracts } from "./core/contract/diff.ts";
export {
  type CallMethod,
  type CallOptions,
  call,
  type EventMethod,
  type EventOptions,
  event,
  type Method,
  type RequestInput,
  type RequestOutput,
  type ResponseInput,
  type ResponseOutput,
  type StreamMethod,
  type StreamOptions,
  stream,
} from "./core/contract/method.ts";
export type { VersionRange } from "./core/contract/version.ts";
export { RemoteError, type RemoteErrorOptions } from "./core/contract/remote-error.ts";
export type { ServerAddressesLike } from "./io/session/client/addresses.ts";
export type { ConnectSessionOptions, SessionClientOptions } from "./io/session/client/options.ts";
export type {
  FreshReason,
  LostMessage,
  ReadyReport,
  Reconnection,
  ResumedReport,
  SessionEnd,
  SessionStatus,
} from "./io/session/end.ts";
export type { SessionCodec } from "./io/contract/format.ts";
export type {
  Handler,
  HandlerContext,
  Handlers,
  HandlersOption,
  ItemInput,
  ItemOutput,
  MethodArguments,
  RemoteMethod,
  RemoteMethods,
  StreamAnswer,
  SessionStream,
} from "./io/contract/methods.ts";
export type { InterceptedMessage, Interceptor, SessionMessage, StatelessMessage } from "./io/contract/interceptor.ts";
export type {
  Metadata,
  RemoteCallOptions,
  RemoteEventOptions,
  SessionCallOptions,
  WhileAway,
} from "./io/contract/metadata.ts";
export type { CallTrace } from "./io/operation/call-channel.ts";
export type { Session, SessionBase, SessionCloseOptions, SessionStats } from "./io/session/public.ts";
export type { ValidationPolicy } from "./io/contract/plan.ts";
export type {
  AudienceCount,
  AudienceMember,
  AudienceMembers,
  Broadcasts,
  BroadcastReport,
  CountedAudience,
  MembersOptions,
  SessionAudience,
  SessionBroadcastOptions,
  SessionGroup,
} from "./io/session/audience.ts";
export type {
  CloseSessionsOptions,
  ServerContext,
  SessionServer,
  SessionServerStats,
} from "./io/session/server/public.ts";
export type {
  Admission,
  Admitted,
  Applicant,
  ServerResumeOptions,
  ServeSessionsOptions,
  SessionRecord,
  SessionServerLimits,
  SessionServerOptions,
  SessionStore,
} from "./io/session/server/options.ts";
export type { ResumeOptions, SessionLimits, SessionTimeouts, SessionTuning } from "./io/session/options.ts";
export type { Backoff } from "./core/options/backoff.ts";
export type { OverflowPolicy } from "./core/options/check-options.ts";
export type { OnError } from "./io/operation/peer-problems.ts";
export type { StatelessClient, StatelessClientBase, StatelessClientStats } from "./io/stateless/public.ts";
export type {
  RetransmissionTimes,
  StatelessClientLimits,
  ConnectStatelessOptions,
  StatelessTimeouts,
  ServeStatelessOptions,
  StatelessServerLimits,
  StatelessServerOptions,
} from "./io/stateless/settings.ts";
export type {
  StatelessContext,
  StatelessContract,
  StatelessMethod,
  StatelessMethods,
  StatelessRemoteMethod,
  StatelessRemoteMethods,
} from "./io/stateless/public.ts";
export type { StatelessServer, StatelessServerStats } from "./io/stateless/public.ts";
export type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SessionJournal,
  SharedEntry,
} from "./io/journal/journal.ts";
export type { MemoryJournalOptions } from "./journal/memory/journal.ts";
export { memoryJournal } from "./api/journal.ts";
export { connectSession, serveSessions } from "./api/sessions.ts";
export { serveStateless, connectStateless } from "./api/stateless.ts";
