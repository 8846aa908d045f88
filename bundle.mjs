// Puts the compiled command into few files: to load its modules one by one takes Node twice as long as to start,
// and every verb and every daemon would wait for it. `dist/bin/colo.cjs` is what npx, the tests, the image and the
// package run. The packages that it uses are inside, so that an installed `colo` has no dependencies; their licences
// stand beside it. What few verbs need is loaded when it is asked for, as in the sources. Each thread is a bundle of its
// own. Where nothing was compiled or installed since the last time, nothing is done.

import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { rolldown } from 'rolldown'

const dist = join(import.meta.dirname, 'dist')
const LICENCES = 'LICENSES.txt'
const COMMAND = {
  entry: join(dist, 'cli', 'colo.js'),
  folder: join(dist, 'bin'),
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: [
      { name: 'decoding', test: /dist\/(tools\/decode|formats\/qemu)\// },
      { name: 'verifying', test: /dist\/(tools\/verify\/|formats\/(?!ber|qemu|wasm))/ },
    ],
  },
}
/** A daemon as tests start it, hundreds of times: it takes half as long to start as from its modules. */
const TESTED_DAEMON = {
  entry: join(dist, 'test', 'integration', 'daemon-process.js'),
  folder: join(dist, 'test-bin'),
  codeSplitting: false,
}

/** Packages of other people that ws uses where they are installed. It works without them. */
const NOT_INSTALLED = ['bufferutil', 'utf-8-validate']

const changedAt = (file) => statSync(file).mtimeMs
const newest = Math.max(
  changedAt(import.meta.filename),
  changedAt(join(import.meta.dirname, 'node_modules', '.package-lock.json')),
  ...readdirSync(dist)
    .filter((name) => name.endsWith('.tsbuildinfo'))
    .map((name) => changedAt(join(dist, name))),
)
for (const one of [COMMAND, TESTED_DAEMON]) {
  const target = targetOf(one)
  if (!existsSync(target) || changedAt(target) <= newest) await bundle(one)
}

function targetOf({ entry, folder }) {
  return join(folder, `${basename(entry, '.js')}.cjs`)
}

async function bundle(what) {
  const { entry, folder, codeSplitting } = what
  const threads = new Set()
  const written = await writeBundle(entry, folder, threads, codeSplitting)
  for (const thread of threads) {
    written.push(...(await writeBundle(thread, folder, threads, false)))
  }
  writeFileSync(join(folder, LICENCES), licencesOf(written.flatMap(({ moduleIds }) => moduleIds)))
  const kept = new Set([LICENCES, ...written.map(({ fileName }) => fileName)])
  // Chunks of an older bundle.
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name))
  chmodSync(targetOf(what), 0o755)
}

/** Gives the chunks. The modules of threads that it starts are added to `threads`. */
async function writeBundle(input, folder, threads, codeSplitting) {
  const command = await rolldown({
    input,
    platform: 'node',
    external: NOT_INSTALLED,
    preserveEntrySignatures: false,
    plugins: [{ name: 'threads', transform: (code, id) => nameThreads(code, id, threads) }],
    checks: { ineffectiveDynamicImport: false },
  })
  const { output } = await command.write({
    dir: folder,
    format: 'cjs',
    comments: false,
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting,
  })
  return output
}

/** In the bundle a thread begins in the bundle of its module, which lies beside all others. */
function nameThreads(code, id, threads) {
  if (!code.includes('import.meta.url')) return null
  const named = code.replaceAll(
    /(?<=new URL\('\.\/)([\w-]+-worker)\.js(?=', import)/g,
    (_, name) => {
      threads.add(join(dirname(id), `${name}.js`))
      return `${name}.cjs`
    },
  )
  if (named === code) throw new Error(`${id} uses import.meta.url for something else than a thread`)
  return named
}

/** The licences of all packages of which something is in the bundle. */
function licencesOf(modules) {
  const found = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [])
  const packages = [...new Set(found)].toSorted((one, other) => (one < other ? -1 : 1))
  const texts = packages.map((home) => {
    const { name, version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    const file = readdirSync(home).find((one) => /^licen[cs]e/i.test(one))
    if (file === undefined)
      throw new Error(`the bundle takes in ${name}, and it has no licence file`)
    return `${name} ${version}\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`
  })
  const intro = 'The files of this folder have code of these packages in them.\n'
  return [intro, ...texts].join(`\n${'-'.repeat(80)}\n\n`)
}
