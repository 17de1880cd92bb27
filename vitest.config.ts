import { defineConfig } from 'vitest/config'

const conditions = ['@rxswarm/source']
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } }

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
      {
        ...shared,
        test: {
          name: 'sockets',
          include: ['test/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
          fileParallelism: false,
        },
      },
    ],
  },
})
