export { withRetry, type RetryOptions } from './withRetry.ts'
export { halfJitter } from './halfJitter.ts'
