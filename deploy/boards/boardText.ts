import { boardJson, type Board } from './board.ts'

/** A board as it stands in its file. */
export const boardText = (board: Board): string => `${JSON.stringify(boardJson(board), null, 2)}\n`
