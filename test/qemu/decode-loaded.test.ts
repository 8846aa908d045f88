// The judge is a QEMU: it loads a stream of the corpus, and what it then has in its memory is what our images hold;
// what it traces while it loads is what we say that it traces. Only where qemu-system-x86_64 is installed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { RamFiles } from '../../tools/decode/ram-files.ts'
import { walk } from '../../tools/decode/walk.ts'
import { inflatePage } from '../../tools/decode/zlib-pages.ts'
import { LoadvmTracer } from '../../formats/qemu/trace/loadvm-trace.ts'
import { traceLine } from '../../formats/qemu/trace/trace-line.ts'
import { RamImage } from '../../formats/qemu/stream/ram-image.ts'
import { readVmDescription } from '../../formats/qemu/description/vmdesc.ts'
import { DeviceStates } from '../../tools/decode/device-states.ts'
import { CORPUS_MISSING, STREAM_NAMES, streamBytes } from './corpus.ts'
import { HAS_QEMU, Qemu, QEMU_MISSING, traced } from './qemu-process.ts'

const isHere = HAS_QEMU && STREAM_NAMES.length > 0
const MISSING = HAS_QEMU ? CORPUS_MISSING : QEMU_MISSING

const folder = mkdtempSync(join(tmpdir(), 'colo-decode-loaded-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FLOPPY = join(folder, 'floppy.img')
const RAM_BYTES = 8 * 1024 * 1024
const HOLE = [0xa_0000, 0x10_0000] as const

const floppy = ['-drive', `if=floppy,format=raw,snapshot=on,file=${FLOPPY}`]

/** The machines of the corpus's README. */
const MACHINES: Readonly<Record<string, readonly string[]>> = {
  'pc-xbzrle': ['-vga', 'none', ...floppy],
  'pc-compress': ['-vga', 'std', ...floppy],
  'pc-min-paused': ['-vga', 'none', '-net', 'none'],
}

interface Loaded {
  readonly memory: Buffer
  readonly trace: string[]
}

/** Loads a stream into a QEMU that stays stopped, and asks for its memory. */
async function load(name: string, file: string): Promise<Loaded> {
  writeFileSync(FLOPPY, new Uint8Array(1_474_560))
  const [dump, log] = ['memory', 'log'].map((what) => join(folder, `${name}.${what}`))
  const events = ['loadvm*', 'qemu_loadvm*', 'vmstate_load', 'ram_load_loop', 'ram_load_complete']
  const incoming = ['-S', ...MACHINES[name], '-incoming', 'defer', ...traced(log, events)]
  const qemu = await Qemu.start(8, incoming)
  try {
    const compress = { capability: 'compress', state: name === 'pc-compress' }
    await qemu.ask('migrate-set-capabilities', { capabilities: [compress] })
    await qemu.ask('migrate-incoming', { uri: `exec:cat ${file}` })
    while ((await qemu.ask('query-status')).status === 'inmigrate');
    await qemu.ask('pmemsave', { val: 0, size: RAM_BYTES, filename: dump })
    await qemu.ask('quit')
  } finally {
    qemu.kill()
  }
  return { memory: readFileSync(dump), trace: readFileSync(log, 'utf8').trimEnd().split('\n') }
}

describe(`what a QEMU has loaded (else ${MISSING})`, () => {
  it.skipIf(!isHere).each(Object.keys(MACHINES))('of %s is what our images hold', async (name) => {
    const file = join(folder, name)
    writeFileSync(file, streamBytes(name))
    const { memory } = await load(name, file)
    const files = new RamFiles(join(folder, `${name}.images`))
    const { error } = await walk(file, new RamImage(files, inflatePage))
    files.close()
    expect(error).toBeUndefined()
    const image = readFileSync(files.paths.get('pc.ram') ?? '')
    expect(image.length).toBe(memory.length)
    expect(image.some((byte) => byte !== 0) || name === 'pc-min-paused').toBe(true)
    // Between them the machine has its ROMs in place of RAM.
    expect(Buffer.compare(image.subarray(0, HOLE[0]), memory.subarray(0, HOLE[0]))).toBe(0)
    expect(Buffer.compare(image.subarray(HOLE[1]), memory.subarray(HOLE[1]))).toBe(0)
  })

  it.skipIf(!isHere)('was traced as we say', async () => {
    const file = join(folder, 'pc-min-paused')
    writeFileSync(file, streamBytes('pc-min-paused'))
    const { trace } = await load('pc-min-paused', file)
    const states = new DeviceStates([])
    await walk(file, states)
    const { devices } = readVmDescription(states.json ?? new Uint8Array())
    const ours: string[] = []
    const tracer = new LoadvmTracer(
      (event, ...args) => void ours.push(traceLine(event, args)),
      ({ idstr }) => devices.find(({ name }) => name === idstr)?.vmsd.name,
      () => {},
    )
    await walk(file, tracer)
    const plain = (lines: string[]) => lines.map((line) => line.replace(/ host: .*/, '').trimEnd())
    expect(ours.length).toBeGreaterThan(2000)
    expect(plain(ours)).toEqual(plain(trace))
  })
})
