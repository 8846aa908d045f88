// Compiles the guests in C and Rust by the command lines of their README files, so that those are tested as they
// stand. Debian's compilers come first: another rustc on the PATH may lack the target.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../machines/reviewed.ts'

const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH ?? ''}` }

function outputOf(command: string, ...args: string[]): string {
  const { status, stdout } = spawnSync(command, args, { env, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

const WASM_TARGET = 'wasm32-unknown-unknown'
const rustLibrary = outputOf('rustc', '--print', 'target-libdir', '--target', WASM_TARGET)

export const HAS_CLANG = outputOf('clang', '--version') !== '' && outputOf('wasm-ld', '-v') !== ''
export const CLANG_MISSING = 'clang or wasm-ld is not installed (apt-get install clang lld)'
export const HAS_RUST = rustLibrary !== '' && existsSync(rustLibrary)
export const RUST_MISSING =
  'rustc for wasm32 is not installed (apt-get install rustc libstd-rust-dev-wasm32 lld)'

/** Where compiled guests go; removed when the process ends. */
const folder = mkdtempSync(join(tmpdir(), 'colo-compiled-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let compiled = 0

function run(command: string, args: readonly string[], cwd: string): string {
  const file = join(folder, `${compiled++}.wasm`)
  const { status, stderr } = spawnSync(command, [...args, file], { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return file
}

/** The line of a guest's README that compiles it, in words, without the name of its output. */
function commandOf(guest: string, compiler: string): string[] {
  const readme = readFileSync(join(ROOT, 'guests', guest, 'README.md'), 'utf8')
  const line = readme.split('\n').find((one) => one.startsWith(`${compiler} `))
  if (line === undefined) throw new Error(`guests/${guest}/README.md has no line for ${compiler}`)
  const words = line.trim().split(/\s+/)
  if (words.pop() !== 'counter.wasm') throw new Error(`${line}: it does not make counter.wasm`)
  return words
}

/** The file that the README's command makes; `change` gives other arguments for it. */
export function compileCounter(
  language: 'c' | 'rust',
  change: (args: string[]) => string[] = (args) => args,
): string {
  const guest = `counter-${language}`
  const [command = '', ...args] = commandOf(guest, language === 'c' ? 'clang' : 'rustc')
  return run(command, change(args), join(ROOT, 'guests', guest))
}

/** C as it stands, by the flags of the README. */
export function compileC(source: string, ...flags: string[]): string {
  const [command = '', ...args] = commandOf('counter-c', 'clang')
  const others = args.filter((word) => !word.endsWith('.c') && word !== '-o')
  const result = join(folder, `${compiled++}.wasm`)
  const { status, stderr } = spawnSync(
    command,
    [...others, ...flags, '-x', 'c', '-', '-o', result],
    { env, input: source, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return result
}

/** A guest in AssemblyScript with a runtime of the compiler's choice. */
export function compileWords(runtime: 'incremental' | 'minimal' | 'stub'): string {
  const source = join('guests', 'words', 'words.ts')
  const asc = join(ROOT, 'node_modules', '.bin', 'asc')
  return run(asc, [source, '-O', '--runtime', runtime, '--outFile'], ROOT)
}
