#!/usr/bin/env node
import { argv, stderr, stdout } from 'node:process'
import { runCli } from './runCli.ts'

// Whoever reads may have read enough, as `head` has: that is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// Not process.exit: it would cut off what is still on its way into a pipe.
process.exitCode = await runCli(argv.slice(2), {
  out: (line) => void stdout.write(`${line}\n`),
  error: (line) => void stderr.write(`${line}\n`),
})
