export { compilePolicy, type CompiledPolicy } from './access/compilePolicy.ts'
export { lintPolicy, type AccessWarning } from './access/lintPolicy.ts'
export { compareDecisions, type ShadowPolicy } from './access/shadowPolicy.ts'
export type { AccessDifference, DifferenceCount, ShadowReport } from './access/shadowPolicy.ts'
export type {
  AccessAction,
  AccessDecision,
  AccessMatch,
  AccessPolicy,
  AccessRequest,
  AccessRule,
} from './access/accessPolicy.ts'
export { accessLimiter, type AccessLimiter, type LimitedRequest, type LimitOutcome } from './access/accessLimits.ts'
export type { AccessLimit } from './access/accessLimit.ts'
export { compilePins, type CompiledPins, type PinOutcome } from './access/pins.ts'
export type { Pin } from './access/pin.ts'
export { ipOf } from './access/ipOf.ts'
export { ipMatch } from './access/ipMatch.ts'
export { subnetOf } from './access/subnetOf.ts'
export { auditFile, type AuditFile } from './audit/auditFile.ts'
export type { AuditFileOptions } from './audit/auditOptions.ts'
export type { AuditEntry } from './audit/auditEntry.ts'
export type { AuditEvent } from './audit/auditEvent.ts'
export type { AuditSigner, AuditVerify } from './audit/auditSigner.ts'
export { ed25519Signer } from './audit/ed25519Signer.ts'
export { verifyAudit, type VerifyAuditOptions } from './audit/verifyAudit.ts'
export type { AuditProblem, AuditProblemKind, AuditReport } from './audit/auditReport.ts'
