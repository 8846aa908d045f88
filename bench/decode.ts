// What `colo decode --state` takes as a whole process, beside QEMU's own analyze-migration.py: on the default `pc`
// machine of the corpus, where devices are most of it, on 8 GiB of zero pages and on 370 MB of full ones. The two
// large streams are made into the folder for temporary files, and removed.

import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SECTION_END, SECTION_START } from '../formats/qemu/stream/migration-sink.ts'
import { MigrationWriter } from '../formats/qemu/stream/migration-writer.ts'
import { QemuFileWriter } from '../formats/qemu/file/qemu-file.ts'
import { RAM_CONTINUE, RAM_EOS, RAM_PAGE, RAM_ZERO } from '../formats/qemu/stream/ram-section.ts'
import { absolute, beside, type Benchmark, type Figure, type Plan } from './figure.ts'
import { referenceScript, REFERENCE_MISSING } from './reference/analyze-migration.ts'
import { pythonPath } from './reference/python.ts'

const PAGE_BYTES = 4096
const GIB = 1024 ** 3
const ZERO_BYTES = 8 * GIB
const FULL_PAGES = 89_830
const QUICK_SHARE = 16
const MEMORY_MB_MAX = 120
const KB = 1000

const ROOT = join(import.meta.dirname, '..', '..')
const COLO = join(ROOT, 'dist', 'bin', 'colo.cjs')
const DEFAULT_PC = join(ROOT, '..', 'shared', 'corpus', 'qemu-streams', 'pc-default-bios.mig.xz')

/** Prints the most memory that the process had, in KiB, on its standard error. */
const TELL_MEMORY =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("rss "+process.resourceUsage().maxRSS))'

/** A stream of one block, with so many pages. */
function makeStream(path: string, pages: number, kind: typeof RAM_ZERO | typeof RAM_PAGE): void {
  const fd = openSync(path, 'w')
  const file = new QemuFileWriter({ write: (bytes) => void writeSync(fd, bytes) }, 1024 * 1024)
  const writer = new MigrationWriter(file)
  const block = { name: 'pc.ram', index: 0, usedBytes: pages * PAGE_BYTES }
  const ram = { offset: 0, sectionId: 2, idstr: 'ram', instanceId: 0, versionId: 4 }
  const begin = { ...ram, type: SECTION_START } as const
  const end = { ...ram, type: SECTION_END } as const
  const page = new Uint8Array(PAGE_BYTES).map((_, i) => (i * 31) & 0xff)
  writer.header(0, 3)
  const none = { offset: 0, subsections: [], capabilities: [] }
  writer.configuration({ ...none, machine: 'pc-i440fx-7.2' })
  writer.sectionBegins(begin)
  writer.blocks(0, [block])
  writer.mark(0, RAM_EOS)
  writer.sectionEnds(begin, 0, true)
  writer.sectionBegins(end)
  for (let i = 0; i < pages; i++) {
    const flags = kind | (i > 0 ? RAM_CONTINUE : 0)
    if (kind === RAM_ZERO) writer.zeroPage(block, i * PAGE_BYTES, flags, 0)
    else writer.page(block, i * PAGE_BYTES, flags, page, 0)
  }
  writer.mark(0, RAM_EOS)
  writer.sectionEnds(end, 0, true)
  writer.endOfItems()
  writer.description(0, Buffer.from('{"page_size": 4096, "devices": []}'))
  file.flush()
  closeSync(fd)
}

function msOf(command: string, args: readonly string[]): number {
  const began = performance.now()
  const run = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${run.status}`)
  return performance.now() - began
}

function peakMb(file: string): number {
  const args = ['--import', TELL_MEMORY, COLO, 'decode', file, '--state']
  const { stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  return (Number(/rss (\d+)/.exec(String(stderr))?.[1]) * 1024) / KB / KB
}

interface Case {
  readonly name: string
  readonly file: string
  readonly ratio: number
}

function measure({ rounds, tell }: Plan, { name, file, ratio }: Case): Figure[] {
  const script = referenceScript()
  const ours: number[] = []
  const theirs: number[] = []
  const again: number[] = []
  const memory: number[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(msOf(process.execPath, [COLO, 'decode', file, '--state']))
    memory.push(peakMb(file))
    if (script === undefined) continue
    for (const times of [theirs, again])
      times.push(msOf(pythonPath() ?? '', [script, '-f', file, '-d', 'state']))
    tell(`${name}: ${ours.at(-1)?.toFixed(0)} and ${theirs.at(-1)?.toFixed(0)} ms`)
  }
  const given = { part: 'j', unit: 'ms' }
  const time = { ...given, name: `colo decode --state, ${name}` }
  const speed =
    script === undefined
      ? absolute({ ...time, note: REFERENCE_MISSING }, ours)
      : beside({ ...time, goal: { sign: '>=', limit: ratio, of: 'ratio' } }, ours, {
          name: 'analyze-migration.py',
          values: theirs,
          again,
          inverse: true,
        })
  const goal = { sign: '<=', limit: MEMORY_MB_MAX, of: 'ours' } as const
  return [
    speed,
    absolute({ part: 'j', unit: 'MB', name: `its peak memory, ${name}`, goal }, memory),
  ]
}

export const decode: Benchmark = async (plan) => {
  const folder = mkdtempSync(join(tmpdir(), 'colo-bench-decode-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const share = plan.quick ? QUICK_SHARE : 1
    const [pc, zeros, full] = ['pc.mig', 'zeros.mig', 'full.mig'].map((name) => join(folder, name))
    const cases: Case[] = []
    if (existsSync(DEFAULT_PC)) {
      const unpacked = spawnSync('xz', ['-dc', DEFAULT_PC], { maxBuffer: 64 * 1024 * 1024 })
      writeFileSync(pc ?? '', unpacked.stdout)
      cases.push({ name: 'a default pc', file: pc ?? '', ratio: 4 })
    } else plan.tell('../shared/corpus is not there: no default pc')
    makeStream(zeros ?? '', ZERO_BYTES / PAGE_BYTES / share, RAM_ZERO)
    makeStream(full ?? '', Math.floor(FULL_PAGES / share), RAM_PAGE)
    cases.push({ name: `${8 / share} GiB of zero pages`, file: zeros ?? '', ratio: 5 })
    cases.push({
      name: `${Math.floor(370 / share)} MB of full pages`,
      file: full ?? '',
      ratio: 1.5,
    })
    return cases.flatMap((one) => measure(plan, one))
  } finally {
    remove()
  }
}
