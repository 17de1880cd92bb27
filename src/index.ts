import './requireNode.ts'

export { createSwarm, type StopReport, type Swarm } from './swarm/createSwarm.ts'
export type { SwarmOptions } from './swarm/swarmOptions.ts'
export type { CoreState, PeerState } from './swarm/state.ts'
export type { Page, Probe, Probed } from './swarm/vocabulary/probe.ts'
export type { Entry, Limits } from './swarm/ledger.ts'
export type { CommandLane } from './swarm/commandLanes.ts'
export type { TransportName } from './swarm/libp2p/transports.ts'

export {
  connections,
  type ConnectionsOptions,
  type ConnectionsState,
} from './swarm/behaviours/connections/connections.ts'
export { DIAL_POLICY } from './swarm/behaviours/connections/connectionsBehaviour.ts'
export type {
  ConnectionsCommand,
  ConnectionsEvent,
  ConnectionsPorts,
  ConnectionSnapshot,
  Dial,
  HangUp,
  List,
  Listen,
  StreamInfo,
  Unlisten,
} from './swarm/behaviours/connections/connectionsBehaviour.ts'
export { identify, type IdentifyOptions, type IdentifyState } from './swarm/behaviours/identify/identify.ts'
export type {
  IdentifyEvent,
  IdentifyOnce,
  IdentifyPorts,
  Identity,
} from './swarm/behaviours/identify/identifyBehaviour.ts'
export { ping, type PingOptions, type PingState } from './swarm/behaviours/ping/ping.ts'
export { PING_POLICY } from './swarm/behaviours/ping/pingBehaviour.ts'
export type { PingCommand, PingEvent, PingOnce, PingPorts, PingWatch } from './swarm/behaviours/ping/pingBehaviour.ts'
export { kad, type KadOptions, type KadState } from './swarm/behaviours/kad/kad.ts'
export { QUERY_POLICY } from './swarm/behaviours/kad/kadBehaviour.ts'
export type { KadEvent, KadPorts } from './swarm/behaviours/kad/kadBehaviour.ts'
export type {
  Delivery,
  FoundPeer,
  FoundRecord,
  KadClosestPeers,
  KadCommand,
  KadFindPeer,
  KadFindProviders,
  KadGet,
  KadMode,
  KadProvide,
  KadPut,
  KadSetMode,
  ProvidedContent,
  StoredRecord,
} from './swarm/behaviours/kad/kadCommands.ts'
export type { RecordRule, RecordRules } from './swarm/behaviours/kad/kadRules.ts'
export { gossipsub, type GossipsubOptions, type GossipsubState } from './swarm/behaviours/gossipsub/gossipsub.ts'
export { PUBLISH_POLICY } from './swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
export type {
  GossipMessage,
  GossipsubCommand,
  GossipsubEvent,
  GossipsubPorts,
  Publish,
  PublishedMessage,
  RefusedMessage,
  Subscribe,
  TopicPeers,
} from './swarm/behaviours/gossipsub/gossipsubBehaviour.ts'
export { xauth, type OwnerRef, type XauthOptions, type XauthState } from './swarm/behaviours/xauth/xauth.ts'
export { access, type AccessOptions, type AccessState } from './swarm/behaviours/access/access.ts'
export type { AccessPorts } from './swarm/behaviours/access/accessBehaviour.ts'
export type {
  AccessCommand,
  AccessEvent,
  AccessSubject,
  Block,
  Explain,
  Explanation,
  PolicyChange,
  ReportShadow,
  SetLimits,
  SetPins,
  SetPolicy,
  SetShadow,
} from './swarm/behaviours/access/accessVocabulary.ts'
export type {
  AccessAction,
  AccessDecision,
  AccessMatch,
  AccessPolicy,
  AccessRequest,
  AccessRule,
} from './security/access/accessPolicy.ts'
export type { AccessLimit } from './security/access/accessLimit.ts'
export type { AccessDifference, DifferenceCount, ShadowReport } from './security/access/shadowPolicy.ts'
export type { Pin } from './security/access/pin.ts'
export { audit, type AuditOptions, type AuditState } from './swarm/behaviours/audit/audit.ts'
export type { AuditCommand, AuditPorts, Flush, Note } from './swarm/behaviours/audit/auditBehaviour.ts'
export { auditFile, type AuditFile } from './security/audit/auditFile.ts'
export type { AuditFileOptions } from './security/audit/auditOptions.ts'
export type { AuditEntry } from './security/audit/auditEntry.ts'
export type { AuditEvent } from './security/audit/auditEvent.ts'
export type { AuditSigner, AuditVerify } from './security/audit/auditSigner.ts'
export { verifyAudit, type VerifyAuditOptions } from './security/audit/verifyAudit.ts'
export type { AuditProblem, AuditReport } from './security/audit/auditReport.ts'
export {
  discovery,
  type BootstrapOptions,
  type DialOptions,
  type DiscoveryOptions,
  type DiscoveryState,
  type MdnsOptions,
  type SourceState,
  type WalkOptions,
} from './swarm/behaviours/discovery/discovery.ts'
export type { BootstrapList } from './swarm/behaviours/discovery/bootstrapping.ts'
export type { DiscoveryPorts, MdnsGroup } from './swarm/behaviours/discovery/discoveryBehaviour.ts'
export type { MdnsWord } from './swarm/behaviours/discovery/mdnsIntake.ts'
export type { ReadAddress } from './swarm/behaviours/discovery/vetAddresses.ts'
export type {
  AddressFlaw,
  DiscoveredPeer,
  DiscoveryCommand,
  DiscoveryEvent,
  DiscoverySource,
  FlawedAddress,
  ForgetDiscovered,
  ListDiscovered,
  SwitchSource,
} from './swarm/behaviours/discovery/discoveryVocabulary.ts'
export { xstream, type XStreamOptions, type XStreamState } from './swarm/behaviours/xstream/xstream.ts'
export type { XStream } from './streams/xstream/XStream.ts'
export type {
  ClosedStream,
  FailedOffer,
  StreamApproval,
  XStreamPorts,
} from './swarm/behaviours/xstream/xstreamBehaviour.ts'
export type {
  AcceptStreams,
  DecideStream,
  OpenStream,
  XStreamCommand,
  XStreamDecision,
  XStreamEvent,
  XStreamOffer,
} from './swarm/behaviours/xstream/xstreamVocabulary.ts'
export { relay, type RelayOptions, type RelayServerOptions } from './swarm/behaviours/relay/relay.ts'
export type { RelayState } from './swarm/behaviours/relay/relayState.ts'
export type {
  ListRelays,
  RelayCandidate,
  RelayCommand,
  RelayEvent,
  RelayLimit,
  RelayPorts,
  RelayRef,
  RelayReport,
  RelayRotation,
  RelayServerLimits,
  RelayStatus,
  Release,
  Reservation,
  Reserve,
  Rotate,
  ServedEvent,
} from './swarm/behaviours/relay/relayVocabulary.ts'
export { createPor, type PorClaim } from './swarm/libp2p/ownerKeys.ts'
export type { Por, PorFlaw } from './swarm/behaviours/xauth/por.ts'
export type { Metadata, PorRequest, PorResponse } from './swarm/behaviours/xauth/porMessages.ts'
export type { Approval, Arrival, XauthPorts } from './swarm/behaviours/xauth/xauthBehaviour.ts'
export type { InboundRequest } from './swarm/behaviours/xauth/xauthState.ts'
export type { Standing } from './swarm/behaviours/xauth/conversation.ts'
export type { Claim } from './swarm/behaviours/xauth/xauthPorts.ts'
export type {
  AuthDecision,
  AuthDirection,
  Authenticate,
  AuthFailed,
  AuthFailure,
  AuthReport,
  AuthRequest,
  Decide,
  DeniedStream,
  Renew,
  Revoke,
  Trust,
  XauthCommand,
  XauthEvent,
} from './swarm/behaviours/xauth/xauthVocabulary.ts'
export type { MessageValidator, Verdict } from './swarm/behaviours/gossipsub/gossipsubService.ts'
export type { PeerRef } from './swarm/behaviours/checkPeer.ts'

export { addresses, type AddressesOptions, type AddressesState } from './swarm/behaviours/addresses/addresses.ts'
export type { AddressesPorts } from './swarm/behaviours/addresses/addressesBehaviour.ts'
export type {
  AddressesCommand,
  AddressesEvent,
  Announce,
  Confirm,
  ConfirmedBy,
  ListAddresses,
  OwnAddress,
  Rank,
  Withdraw,
} from './swarm/behaviours/addresses/addressesVocabulary.ts'
export type { Tally } from './swarm/behaviours/addresses/observations.ts'
export type { BlackHoleRules } from './swarm/dialling/blackHole.ts'
export type { BlackHoleChange, BlackHoleKind } from './swarm/dialling/blackHoles.ts'
export type { DroppedAddress, PlannedDial, Ranking } from './swarm/dialling/rankAddresses.ts'
export type { DropReason } from './swarm/dialling/undialable.ts'

export {
  rendezvous,
  type RendezvousOptions,
  type RendezvousPointOptions,
  type RendezvousState,
} from './swarm/behaviours/rendezvous/rendezvous.ts'
export type {
  CookieSeal,
  Discover,
  DiscoveredPage,
  DiscoverQuestion,
  FoundRegistration,
  GivenRegistration,
  IgnoredRegistration,
  OwnRegistration,
  PointAnswer,
  PointRef,
  PointRequest,
  RecordForms,
  Register,
  RegisterOnce,
  RendezvousChange,
  RendezvousCommand,
  RendezvousEvent,
  RendezvousPeer,
  RendezvousPorts,
  RendezvousStatus,
  SignedRecord,
  StoreChange,
  StoredPoint,
  StoredRegistration,
  Unregister,
  Watch,
} from './swarm/behaviours/rendezvous/rendezvousVocabulary.ts'
export type { RecordForm } from './swarm/libp2p/peerRecords.ts'
export { keepAlive, type KeepAliveOptions, type KeepAliveState } from './swarm/behaviours/keepAlive/keepAlive.ts'
export type { KeepAlivePorts } from './swarm/behaviours/keepAlive/keepAliveBehaviour.ts'
export type { LatePeer } from './swarm/behaviours/keepAlive/isolationMachine.ts'
export type {
  Forget,
  Keep,
  KeepAliveCommand,
  KeepAliveEvent,
  KeepTier,
  KeptPeer,
  KeptStatus,
  ListKept,
} from './swarm/behaviours/keepAlive/keepAliveVocabulary.ts'
export type { TierName } from './swarm/behaviours/keepAlive/retryDelay.ts'

export { ofType } from './operators/ofType.ts'
export { perform } from './swarm/perform.ts'
export { guard, type Guard, type GuardWires, type PolicyOption } from './swarm/guard.ts'
export { performTogether, type TogetherOptions } from './swarm/performTogether.ts'
export { command } from './swarm/vocabulary/command.ts'
export type { AnyCommand, Command, CommandMeta, Priority, ResultOf, TraceContext } from './swarm/vocabulary/command.ts'
export type {
  AnyCommandSpec,
  AnyModule,
  AnySlice,
  Behaviour,
  BehaviourModule,
  CommandOf,
  CommandSpec,
  CommandTable,
  EventOf,
  Services,
  Transports,
  Slice,
  StateOf,
  Wires,
} from './swarm/vocabulary/behaviour.ts'
export type {
  ConnectionInfo,
  CoreEvent,
  Fact,
  NodeEvent,
  Outcome,
  Stamped,
  SupervisionEvent,
  Undrained,
} from './swarm/vocabulary/event.ts'
export * from './errors/errors.ts'

export {
  reachability,
  type AutonatOptions,
  type ReachabilityOptions,
  type UpnpOptions,
} from './swarm/behaviours/reachability/reachability.ts'
export type { ReachabilityPorts } from './swarm/behaviours/reachability/reachabilityBehaviour.ts'
export type { HeldAddress } from './swarm/behaviours/reachability/reachabilityOf.ts'
export type {
  AddressReach,
  AutonatVerdict,
  GatewayFact,
  ReachabilityCommand,
  ReachabilityEvent,
  ReachabilityReason,
  ReachabilityReport,
  ReachabilityStatus,
  ReportReachability,
  WatchReachability,
} from './swarm/behaviours/reachability/reachabilityVocabulary.ts'
export { explain, type ExplainOptions } from './swarm/behaviours/explain/explain.ts'
export type {
  Alternative,
  ExplainCommand,
  ExplainedFact,
  ExplainedKind,
  ExplainEvent,
  ExplainPeer,
  ExplainSelf,
  PeerExplanation,
  SelfExplanation,
} from './swarm/behaviours/explain/explainVocabulary.ts'
export { chains, type CarryOptions, type ChainsOptions, type ChainsState } from './swarm/behaviours/chains/chains.ts'
export type { CarryEnd, ChainsPorts, StandingChain } from './swarm/behaviours/chains/chainsBehaviour.ts'
export type {
  CarriedEnd,
  ChainInfo,
  ChainsCommand,
  ChainsEvent,
  ListChains,
  OpenChain,
  PathQuality,
} from './swarm/behaviours/chains/chainsVocabulary.ts'
export type {
  ChainBudget,
  ChainOpen,
  ChainPath,
  ChainRefusal,
  ChainStatus,
} from './swarm/behaviours/chains/chainWords.ts'
export type { ChainArrival, ChainPermit } from './swarm/behaviours/chains/carrierState.ts'
export type { ChainAsked, ChainLimits, ChainRole } from './swarm/behaviours/chains/admission.ts'
export type { PathSample } from './swarm/behaviours/chains/pathQuality.ts'
