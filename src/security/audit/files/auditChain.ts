import { lastValueFrom, race, defer, map, timer, type SchedulerLike } from 'rxjs'
import { UnexpectedError } from '../../../errors/errors.ts'
import { chainLine, headText } from '../chainLine.ts'
import { jsonText } from '../jsonText.ts'
import type { AuditSigner } from '../auditSigner.ts'
import { SIGNATURE, signedBytes } from '../signedBytes.ts'

/** How long a signer may take. @unit milliseconds */
const SIGN_MS = 10_000
/** The longest signature. @unit bytes */
const MOST_SIGNATURE_BYTES = 4_096

/** The end of a chain: gives each entry its number and the hash of the line before it. */
export class AuditChain {
  /** The last line. */
  seq: number
  /** Its hash. */
  head: string
  readonly #scheduler: SchedulerLike

  constructor(seq: number, head: string, scheduler: SchedulerLike) {
    this.seq = seq
    this.head = head
    this.#scheduler = scheduler
  }

  /** The next line, with its line break. */
  add(at: number, text: string): Buffer {
    const { line, hash } = chainLine({ seq: this.seq + 1, at, prev: this.head }, text)
    this.seq++
    this.head = hash
    return Buffer.from(`${line}\n`)
  }

  /** The next line, which signs all before it. @errors `UnexpectedError` when the signer fails; the chain is as before. */
  async sign({ publicKey, sign }: AuditSigner): Promise<Buffer> {
    const at = this.#scheduler.now()
    const text = `"event":"audit:signed","entries":${this.seq},"signer":${jsonText(publicKey)}`
    const bytes = signedBytes(this.head, `${headText(this.seq + 1, at)},${text}`)
    const tooLate$ = timer(SIGN_MS, this.#scheduler).pipe(
      map((): Uint8Array => {
        throw new Error(`it took longer than ${SIGN_MS} ms`)
      }),
    )
    try {
      const signature = await lastValueFrom(
        race(
          defer(async () => sign(bytes)),
          tooLate$,
        ),
      )
      if (!(signature instanceof Uint8Array) || signature.length > MOST_SIGNATURE_BYTES) {
        throw new Error(`it must give at most ${MOST_SIGNATURE_BYTES} bytes`)
      }
      return this.add(at, `${text}${SIGNATURE}${Buffer.from(signature).toString('base64')}"`)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new UnexpectedError(`audit log: the signer failed, so it goes on unsigned: ${reason}`, { cause })
    }
  }
}
