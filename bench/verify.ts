// `colo verify` beside Xen's own verify-stream-v2: whole processes in turn on the same regular file,
// which is in the page cache. Then what it takes of memory while 8 GiB go through a pipe. A stream is
// made for its comparison and deleted behind it, so that one is on the disk at a time, 1.1 GB at most.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  PAGE_TYPE,
  carriesPage,
  pageDataBytes,
  recordBytes,
  writePageDataHeader,
  writePfn,
} from '../formats/xen/page-data.ts'
import { fixedRecords, inOne } from '../formats/xen/record-encoder.ts'
import {
  encodeDomainHeader,
  encodeImageHeader,
  encodeLibxlHeader,
} from '../formats/xen/stream-headers.ts'
import { alternate } from './compare.ts'
import { absolute, beside, type Benchmark, type Figure } from './figure.ts'
import { pythonPath } from './reference/python.ts'
import { xenReference } from './xen-reference.ts'

const colo = join(dirname(import.meta.dirname), 'bin', 'colo.cjs')
const MiB = 1024 * 1024
const PAGE_BYTES = 4096

interface Shape {
  readonly name: string
  readonly records: number
  readonly pfns: number
  readonly type: number
  /** How many times as fast ours is to be. */
  readonly goal: number
}

const shapes: readonly Shape[] = [
  {
    name: '8192 records of 1024 pfns without pages',
    records: 8192,
    pfns: 1024,
    type: PAGE_TYPE.XTAB,
    goal: 10,
  },
  { name: '1 GiB, a page a record', records: 262_144, pfns: 1, type: PAGE_TYPE.NOTAB, goal: 5 },
  { name: '1 GiB, 1024 pages a record', records: 256, pfns: 1024, type: PAGE_TYPE.NOTAB, goal: 1 },
]

const opening = inOne([
  encodeLibxlHeader(),
  fixedRecords.LIBXC_CONTEXT,
  encodeImageHeader(),
  encodeDomainHeader(),
  fixedRecords.STATIC_DATA_END,
])
const closing = inOne([fixedRecords.LIBXC_END, fixedRecords.LIBXL_END])

/** One PAGE_DATA; the pages have something in them, so that no file system leaves them out. */
function pageData({ pfns, type }: Shape): Uint8Array {
  const pages = carriesPage(type) ? pfns : 0
  const bytes = new Uint8Array(recordBytes(pageDataBytes(pfns, pages))).fill(0x5a)
  const view = new DataView(bytes.buffer)
  let at = writePageDataHeader(view, 0, pfns, pages)
  for (let pfn = 0; pfn < pfns; pfn++) at = writePfn(view, at, pfn, type)
  return bytes
}

/** As large as writing is fast with. */
function batchOf(shape: Shape): { readonly bytes: Uint8Array; readonly records: number } {
  const one = pageData(shape)
  const records = Math.max(1, Math.floor(MiB / one.length))
  return { bytes: inOne(Array.from({ length: records }, () => one)), records }
}

function writeStream(file: string, shape: Shape): void {
  const target = openSync(file, 'w')
  const batch = batchOf(shape)
  writeSync(target, opening)
  for (let left = shape.records; left > 0; left -= batch.records) {
    const share = Math.min(1, left / batch.records)
    writeSync(target, batch.bytes, 0, batch.bytes.length * share)
  }
  writeSync(target, closing)
  closeSync(target)
}

/** Milliseconds from start to end of a process that finds the stream good. */
function timeOf(command: string, args: readonly string[], env = process.env): number {
  const began = performance.now()
  const { status, stderr } = spawnSync(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ms = performance.now() - began
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status} ${String(stderr)}`)
  return ms
}

async function compare(shape: Shape, folder: string, rounds: number): Promise<Figure> {
  const file = join(folder, 'stream')
  writeStream(file, shape)
  const xen = xenReference()
  const run = () => timeOf(process.execPath, [colo, 'verify', '-q', file])
  const arms: Record<string, () => Promise<number>> = { ours: async () => run() }
  if (xen !== undefined) {
    const args = [xen.script, '-f', 'libxl', '-i', file]
    arms['xen'] = async () => timeOf(pythonPath() ?? '', args, xen.env)
  }
  const times = await alternate(rounds, arms)
  rmSync(file)
  const { name, goal } = shape
  return beside(
    { part: 'k', name, unit: 'ms', goal: { sign: '>=', limit: goal, of: 'ratio' } },
    times['ours'],
    xen && { name: 'verify-stream-v2', values: times['xen'], inverse: true },
    "no python3 or no Debian's xen-utils",
  )
}

/** The most memory that a process has had, in MB. */
function peakMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, kib = '0'] = /VmHWM:\s+(\d+)/.exec(status) ?? []
  return (Number(kib) * 1024) / 1e6
}

async function measurePipe(gib: number): Promise<Figure[]> {
  const batch = batchOf(shapes[1])
  const child = spawn(process.execPath, [colo, 'verify', '-q', '-'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const ended = once(child, 'close')
  const began = performance.now()
  child.stdin.write(opening)
  const batches = Math.ceil((gib * 1024 * MiB) / (batch.records * PAGE_BYTES))
  for (let index = 0; index < batches; index++) {
    if (!child.stdin.write(batch.bytes)) await once(child.stdin, 'drain')
  }
  // It waits for the rest, and so is still there to be asked.
  const peak = process.platform === 'linux' ? peakMb(child.pid) : NaN
  child.stdin.end(closing)
  const [status] = (await ended) as [number | null]
  if (status !== 0) throw new Error(`colo verify - ended with ${status}`)
  const mb = (batches * batch.bytes.length) / 1e6
  const rate = mb / ((performance.now() - began) / 1000)
  const goal = { sign: '<=', limit: 120, of: 'ours' } as const
  return [
    absolute({ part: 'k', name: `peak memory, ${gib} GiB through a pipe`, unit: 'MB', goal }, [
      peak,
    ]),
    absolute({ part: 'k', name: `${gib} GiB through a pipe`, unit: 'MB/s' }, [rate]),
  ]
}

export const verifying: Benchmark = async ({ rounds, quick, tell }) => {
  const folder = mkdtempSync(join(tmpdir(), 'colo-bench-verify-'))
  const clean = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', clean)
  const figures: Figure[] = []
  try {
    for (const shape of shapes) {
      const figure = await compare(shape, folder, rounds)
      tell(`${shape.name}: ${figure.ratio?.median.toFixed(1) ?? 'no reference'}`)
      figures.push(figure)
    }
    figures.push(...(await measurePipe(quick ? 1 : 8)))
  } finally {
    clean()
  }
  return figures
}
