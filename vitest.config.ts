import { defineConfig } from 'vitest/config'

const conditions = ['@rxswarm/source']
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } }
const real = {
  environment: 'node',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  pool: 'forks',
  fileParallelism: false,
} as const

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'marbles',
          include: ['marbles/**/*.test.ts', 'examples/**/*.test.ts'],
          environment: 'node',
          isolate: false,
        },
      },
      { ...shared, test: { name: 'sockets', include: ['test/*.test.ts'], ...real } },
      { ...shared, test: { name: 'lab', include: ['test/lab/*.test.ts'], ...real } },
    ],
  },
})
