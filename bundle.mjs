// Puts the compiled command into few files: to load its modules one by one takes Node twice as long as to start,
// and every verb and every daemon would wait for it. `dist/bin/colo.cjs` is what npx, the tests and the image run.
// What few verbs need is loaded when it is asked for, as in the sources. Threads begin in the modules as they were
// compiled, so a module's own address is kept. Where nothing was compiled since the last time, nothing is done.

import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { rolldown } from 'rolldown'

const dist = join(import.meta.dirname, 'dist')
const folder = join(dist, 'bin')
const target = join(folder, 'colo.cjs')

const changedAt = (file) => statSync(file).mtimeMs
const compiled = readdirSync(dist).filter((name) => name.endsWith('.tsbuildinfo'))
const newest = Math.max(
  changedAt(import.meta.filename),
  ...compiled.map((name) => changedAt(join(dist, name))),
)
if (!existsSync(target) || changedAt(target) <= newest) await bundle()

async function bundle() {
  const command = await rolldown({
    input: join(dist, 'cli', 'colo.js'),
    platform: 'node',
    // They look for files of their own.
    external: /^(node:|pino$|ws$)/,
    preserveEntrySignatures: false,
    plugins: [{ name: 'own-address', transform: keepAddress }],
    checks: { ineffectiveDynamicImport: false },
  })
  await command.write({
    dir: folder,
    format: 'cjs',
    comments: false,
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'decoding', test: /dist\/(cli\/decode|shared\/formats\/qemu)\// },
        { name: 'verifying', test: /dist\/(cli\/verify\/|shared\/formats\/(?!ber|qemu))/ },
      ],
    },
  })
  chmodSync(target, 0o755)
}

/** In a module, `import.meta.url` becomes where it was compiled to, seen from the bundle. */
function keepAddress(code, id) {
  if (!code.includes('import.meta.url')) return null
  const address = JSON.stringify(relative(folder, id))
  return code.replaceAll('import.meta.url', `new URL(${address}, import.meta.url).href`)
}
