import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { defer, from, ignoreElements } from 'rxjs'
import { auditFile, type AuditFile } from '../../../security/audit/auditFile.ts'
import type { AuditFileOptions } from '../../../security/audit/auditOptions.ts'
import type { AuditSigner } from '../../../security/audit/auditSigner.ts'
import { ed25519Signer } from '../../../security/audit/ed25519Signer.ts'
import type { AuditPorts } from './auditBehaviour.ts'

/** The log as a part of a node: it is closed when everything else has stopped, and so has said its last word. */
export interface AuditService {
  readonly file: AuditFile
  start(): void
  stop(): void
  afterStop(): Promise<void>
}

/** The service behind {@link auditPorts}. Unless a signer is given, the node signs with its own key, if that is Ed25519. */
export function auditService(options: AuditFileOptions, sign: boolean) {
  return ({ privateKey }: { readonly privateKey: PrivateKey }): AuditService => {
    const signer = options.signer ?? (sign ? signerOf(privateKey) : undefined)
    const file = auditFile({ ...options, ...(signer === undefined ? {} : { signer }) })
    return {
      file,
      start: () => undefined,
      stop: () => undefined,
      afterStop: async () => file.close().catch(() => undefined), // `audit:failed` has told why
    }
  }
}

function signerOf(key: PrivateKey): AuditSigner | undefined {
  return key.type === 'Ed25519' ? ed25519Signer(key.raw) : undefined
}

/** The log of a node. */
export function auditPorts(node: Libp2p): AuditPorts {
  const { file } = node.services['audit'] as AuditService
  return {
    write: (entry) => file.write(entry),
    flush: () => defer(() => from(file.flush())).pipe(ignoreElements()),
    event$: file.event$,
  }
}
