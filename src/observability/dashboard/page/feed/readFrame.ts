import { FEED_VERSION, type FeedFrame } from '../../model/feed.ts'
import { toldText } from '../../model/toldText.ts'

/** A frame of the feed, or why it is none. */
export type ReadFrame = { readonly frame: FeedFrame } | { readonly problem: string }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads the data of a server-sent event.
 *
 * @shape  Looks at what the page relies on; events inside are shown as they are.
 * @errors None: what is no frame becomes `{ problem }`, in words for the reader.
 */
export function readFrame(data: string): ReadFrame {
  let frame: unknown
  try {
    frame = JSON.parse(data)
  } catch {
    return { problem: 'a message of the feed is not JSON' }
  }
  if (!isObject(frame)) return { problem: 'a message of the feed is no object' }
  const problem = problemOf(frame)
  return problem === undefined ? { frame: frame as unknown as FeedFrame } : { problem }
}

function problemOf(frame: Readonly<Record<string, unknown>>): string | undefined {
  switch (frame['type']) {
    case 'hello':
      if (frame['version'] !== FEED_VERSION)
        return `the feed has version ${toldText(frame['version']).slice(0, 40)}, this page reads ${FEED_VERSION}`
      return isView(frame['view']) && isNumber(frame['serverTimeMs']) && isNumber(frame['position'])
        ? undefined
        : 'a hello without a view'
    case 'batch':
      return isNumber(frame['position']) && areEvents(frame['items']) && areEvents(frame['examples'])
        ? undefined
        : 'a batch with something that is no event'
    case 'sample':
      return isNumber(frame['position']) && isSampleLike(frame['sample']) ? undefined : 'a sample without its numbers'
    case 'lagging':
    case 'bye':
      return undefined
    default:
      return `a message of an unknown type: ${toldText(frame['type']).slice(0, 40)}`
  }
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)

const areEvents = (list: unknown): boolean =>
  Array.isArray(list) &&
  list.every((event) => isObject(event) && typeof event['type'] === 'string' && typeof event['at'] === 'number')

const isSampleLike = (sample: unknown): boolean =>
  isObject(sample) &&
  sample['type'] === 'sample' &&
  typeof sample['at'] === 'number' &&
  isObject(sample['events']) &&
  isObject(sample['commands']) &&
  isObject(sample['loop']) &&
  Array.isArray(sample['lanes'])

const LISTS = ['peers', 'topics', 'breakers', 'lanes', 'relays', 'alerts', 'addresses', 'modules'] as const

/** Whether something looks like a view. */
export const isView = (view: unknown): boolean =>
  isObject(view) && typeof view['self'] === 'string' && LISTS.every((list) => Array.isArray(view[list]))
