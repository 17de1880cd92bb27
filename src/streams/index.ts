export { fromStream } from './fromStream.ts'
export { consume, type ConsumeOptions } from './consume.ts'
export { sendTo } from './sendTo.ts'
export { TruncatedStreamError } from './TruncatedStreamError.ts'
