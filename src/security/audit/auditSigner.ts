/** Who signs an audit log. */
export interface AuditSigner {
  /** The public key as text, as the verifier is to know it: a peer id, for one. */
  readonly publicKey: string
  /** Signs these bytes with the private key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>
}

/** Whether a signature over these bytes is that of the key which the text names. */
export type AuditVerify = (publicKey: string, bytes: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>
