// Compares the public API of every door with its reviewed report in api/, or writes the reports anew with --write.

import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const write = process.argv.includes('--write')
const doors = {
  rxswarm: 'dist/index.d.ts',
  operators: 'dist/operators/index.d.ts',
  policies: 'dist/policies/index.d.ts',
  observability: 'dist/observability/index.d.ts',
  security: 'dist/security/index.d.ts',
  streams: 'dist/streams/index.d.ts',
  testing: 'dist/testing/index.d.ts',
}

mkdirSync(`${root}/api`, { recursive: true })
let failed = 0
for (const [door, entry] of Object.entries(doors)) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: `${root}/api-extractor.json`,
    packageJsonFullPath: `${root}/package.json`,
    configObject: {
      newlineKind: 'lf',
      projectFolder: root,
      mainEntryPointFilePath: `${root}/${entry}`,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023', 'esnext.disposable', 'dom'],
            module: 'nodenext',
            moduleResolution: 'nodenext',
            types: ['node'],
            skipLibCheck: true,
          },
          include: ['dist'],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder: `${root}/api`,
        reportTempFolder: `${root}/temp`,
        reportFileName: `${door}.api.md`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None },
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  })
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: write,
    showVerboseMessages: false,
    messageCallback: (message) => {
      message.handled = message.messageId.startsWith('console-')
    },
  })
  const report = `${root}/api/${door}.api.md`
  const undocumented = existsSync(report)
    ? (readFileSync(report, 'utf8').match(/^.*\/\/ \(undocumented\)\n.*$/gm) ?? [])
    : []
  if (apiReportChanged && !write)
    console.error(`api/${door}.api.md differs from the code; review it with npm run api -- --write`)
  for (const place of undocumented) console.error(`api/${door}.api.md: not documented: ${place.split('\n')[1]?.trim()}`)
  if ((apiReportChanged && !write) || undocumented.length > 0) failed++
  else console.log(`api/${door}.api.md agrees with the code`)
}
rmSync(`${root}/temp`, { recursive: true, force: true })
process.exitCode = failed > 0 ? 1 : 0
