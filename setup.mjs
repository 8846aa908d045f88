// Brings a checkout to the point where everything runs: installs what the lock file names, compiles the
// sources and the guests, bundles the command, and puts `colo` where npx finds it. Every npm script calls it first, so that a
// fresh clone needs no second command; on an unchanged tree it costs one incremental compile. `prepare` is one of these
// scripts: npm runs it in a clone before it packs or links it, and after `npm ci`. It is plain
// JavaScript without dependencies because it runs before there are any. All it says goes to stderr, since
// stdout belongs to the command that follows. `node setup.mjs check` also lints and checks the format.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './installation.mjs'

const root = dirname(fileURLToPath(import.meta.url))
process.chdir(root)

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`colo-pair needs Node 20.19 or newer, this is ${process.version}`)
  process.exit(2)
}

function run(what, command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (result.status === 0) return
  console.error(`setup: ${what} failed: ${command} ${args.join(' ')}`)
  process.exit(1)
}

const changedAt = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0)
const bin = (name) => join('node_modules', '.bin', name)

function compile() {
  if (!existsSync('dist')) console.error('setup: compiling ...')
  run('the compilation', bin('tsc'), ['-b'])
  run('the bundling', process.execPath, ['bundle.mjs'])
}

/** Every folder below guests/ whose name.ts is AssemblyScript becomes dist/guests/name.wasm. */
function compileGuests() {
  mkdirSync('dist/guests', { recursive: true })
  for (const name of readdirSync('guests')) {
    const folder = join('guests', name)
    const source = join(folder, `${name}.ts`)
    const target = join('dist', 'guests', `${name}.wasm`)
    if (!existsSync(source)) continue
    const newest = Math.max(...readdirSync(folder).map((file) => changedAt(join(folder, file))))
    if (changedAt(target) >= newest) continue
    run(`compiling the guest ${name}`, bin('asc'), [
      source,
      '--config',
      join(folder, 'asconfig.json'),
      '--target',
      'release',
      '--outFile',
      target,
    ])
  }
}

function link() {
  const target = join('dist', 'bin', 'colo.cjs')
  if (existsSync(bin('colo')) && realpathSync(bin('colo')) === realpathSync(target)) return
  rmSync(bin('colo'), { force: true })
  symlinkSync(relative(join('node_modules', '.bin'), target), bin('colo'))
}

if (process.env['_PACOTE_NO_PREPARE_'] && process.env.npm_config_global === 'true') {
  // It would end without a word, and with a link to a folder that npm removes.
  console.error('setup: npm cannot install -g from git: clone, and say `npm install -g .` there')
  process.exit(1)
}
try {
  if (!install()) {
    console.error('setup: nothing is built: npm has left out the packages for development')
    process.exit(0)
  }
} catch (error) {
  console.error(`setup: ${error.message}`)
  process.exit(1)
}
compile()
compileGuests()
link()
if (process.argv[2] === 'check') {
  run('the linter', bin('oxlint'), ['--type-aware', '--deny-warnings'])
  run('the format check (npx oxfmt mends it)', bin('oxfmt'), ['--check', '.'])
  console.error('check: passed')
}
