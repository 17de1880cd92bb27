import { CONTENT_TYPES, type MetricsFormat } from './metricsFormat.ts'

/** All metrics of a node at one moment. An object of a class, so that who logs or records events does not copy it. */
export class ScrapedMetrics {
  /** How it is written. */
  readonly format: MetricsFormat
  /** What is written. */
  readonly text: string

  constructor(format: MetricsFormat, text: string) {
    this.format = format
    this.text = text
  }

  /** For the header `content-type`. */
  get contentType(): string {
    return CONTENT_TYPES[this.format]
  }

  /** How long it is, not the whole of it. */
  toJSON(): object {
    return { format: this.format, characters: this.text.length }
  }
}
