import type { Board } from './board.ts'
import { networkBoard } from './networkBoard.ts'
import { overviewBoard } from './overviewBoard.ts'
import { processBoard } from './processBoard.ts'
import { resilienceBoard } from './resilienceBoard.ts'

/** Every board, in the order in which they are met. */
export const boards: readonly Board[] = [overviewBoard, networkBoard, resilienceBoard, processBoard]
