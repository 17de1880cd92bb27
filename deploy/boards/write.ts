// Writes the boards as Grafana takes them: node --conditions=@rxswarm/source deploy/boards/write.ts
import { writeFileSync } from 'node:fs'
import { boards } from './boards.ts'
import { boardText } from './boardText.ts'

for (const board of boards) {
  writeFileSync(new URL(`../grafana/boards/${board.name}.json`, import.meta.url), boardText(board))
}
