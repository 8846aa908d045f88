// Migrations with page channels, of a real QEMU: in each packing our images hold what the guest's memory held, or,
// of a guest that ran meanwhile, what a QEMU has that loaded the same files. And what happens to such channels when
// they are damaged, cut off, mixed up or not there.

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLong } from '../long-tests.ts'
import { colo } from '../cli/command.ts'
import { walk } from '../../tools/decode/walk.ts'
import { SilentSink } from '../../formats/qemu/stream/migration-sink.ts'
import { HAS_QEMU, QEMU_MISSING } from './qemu-process.ts'
import { loadMigration, recordMigration, type Packing } from './recorded-migration.ts'

const folder = mkdtempSync(join(tmpdir(), 'colo-decode-multifd-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Between them the machine has its ROMs in place of RAM. */
const HOLE = [0xa_0000, 0x10_0000] as const

/** Levels are global properties: those that are set by QMP have no effect in QEMU 7.2. */
const PACKINGS = [
  { method: 'none' },
  { method: 'zlib' },
  { method: 'zlib', level: 9 },
  { method: 'zstd' },
  { method: 'zstd', level: 0 },
  { method: 'zstd', level: 12 },
  { method: 'zstd', level: 20 },
] as const satisfies readonly Packing[]

interface Overview {
  readonly ending: string | null
  readonly missing: string | null
  readonly channels: number
  readonly pages: { readonly full: number; readonly zero: number }
  readonly pageChannels: readonly {
    readonly channel: number
    readonly packets: number
    readonly pages: number
    readonly method: string
    readonly bytes: number
  }[]
}

async function expectMemory(file: string, memory: Buffer): Promise<void> {
  const images = `${file}.images`
  expect(await colo('decode', file, '--ram', images)).toMatchObject({ code: 0, stderr: '' })
  const image = readFileSync(join(images, 'pc.ram'))
  expect(image.length).toBe(memory.length)
  expect(Buffer.compare(image.subarray(0, HOLE[0]), memory.subarray(0, HOLE[0]))).toBe(0)
  expect(Buffer.compare(image.subarray(HOLE[1]), memory.subarray(HOLE[1]))).toBe(0)
}

const GREETING_BYTES = 64

describe.skipIf(!HAS_QEMU)(`page channels of a QEMU (else ${QEMU_MISSING})`, () => {
  const rows = PACKINGS.map((packing, index) => ({ packing, index }))

  it.each(rows)('hold what the guest had, as $packing', async ({ packing, index }) => {
    const { method } = packing
    const file = join(folder, `still${index}`)
    const { memory } = await recordMigration(file, packing, 'stands still')
    const told = await colo('decode', file, '-f', 'json')
    expect(told).toMatchObject({ code: 0, stderr: '' })
    const { pageChannels, pages, ...overview } = JSON.parse(told.stdout) as Overview
    expect(overview).toMatchObject({ ending: 'whole', missing: null, channels: 2 })
    expect(pageChannels.map((one) => one.method)).toEqual([method, method])
    expect(pageChannels.map((one) => one.channel)).toEqual([0, 1])
    expect(pageChannels.reduce((sum, one) => sum + one.pages, 0)).toBe(pages.full)
    const bytes = pageChannels.reduce((sum, one) => sum + one.bytes, 0)
    if (method === 'none') expect(bytes).toBe(pages.full * 4096)
    else expect(bytes).toBeLessThan(pages.full * 2500)
    await expectMemory(file, memory)
    expect((await colo('decode', file)).stdout).toMatch(
      new RegExp(String.raw`page channel.*\n +0 .* ${method} .*iB\n +1 .* ${method} .*iB\nwhole`),
    )
  })

  const running = isLong ? rows : rows.filter(({ packing }) => !('level' in packing))

  it.each(running)('hold what a QEMU loads of a guest that runs, as $packing', async (row) => {
    const file = join(folder, `running${row.index}`)
    const { rounds } = await recordMigration(file, row.packing, 'runs')
    expect(rounds).toBeGreaterThanOrEqual(3)
    await expectMemory(file, await loadMigration(file, row.packing))
  })
})

describe.skipIf(!HAS_QEMU)(`channels that are not right (else ${QEMU_MISSING})`, () => {
  const fileOf = (method: string) => join(folder, `bad-${method}`)

  beforeAll(async () => {
    for (const method of ['zlib', 'zstd'] as const) {
      await recordMigration(fileOf(method), { method }, 'runs')
    }
  })

  it('are missed: in an overview as a remark, by --ram as an error', async () => {
    const lonely = join(folder, 'lonely')
    copyFileSync(fileOf('zstd'), lonely)
    const told = await colo('decode', lonely)
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/\nends at byte \d+, but .* missing, .* multifd: .*--channel/)
    const json = await colo('decode', lonely, '-f', 'json')
    expect((JSON.parse(json.stdout) as Overview).missing).toMatch(/multifd/)
    const ram = await colo('decode', lonely, '--ram', join(folder, 'lonely.images'))
    expect(ram.code).toBe(1)
    expect(ram.stderr).toMatch(/truncated .* missing, they went through multifd: name its page/)
    expect(await colo('decode', lonely, '--state')).toMatchObject({ code: 0 })
  })

  it('are named each once, and none left out', async () => {
    const file = fileOf('zstd')
    const [first, second] = [`${file}.ch1`, `${file}.ch2`]
    const decode = (...channels: string[]) =>
      colo('decode', file, ...channels.flatMap((one) => ['--channel', one]))
    expect(await decode(second, first)).toMatchObject({ code: 0, stderr: '' })
    expect((await decode(first)).stderr).toMatch(/\d+ of \d+ packets are there: name all channels/)
    expect((await decode(second)).stderr).toMatch(/channel 0 is missing: name all channels/)
    expect((await decode(first, first)).stderr).toMatch(/channel 0 is there twice: name each once/)
    expect((await decode(first, file)).stderr).toMatch(/bad-magic .*no page channel of multifd/)
    const foreign = `${fileOf('zlib')}.ch2`
    expect((await decode(first, foreign)).code).toBe(1)
  })

  it('that are cut off anywhere are told as such', async () => {
    for (const method of ['zlib', 'zstd']) {
      const file = fileOf(method)
      const [whole, other] = [readFileSync(`${file}.ch1`), `${file}.ch2`]
      const short = join(folder, 'short')
      for (let i = 1; i <= 12; i++) {
        writeFileSync(short, whole.subarray(0, Math.floor((whole.length * i) / 13)))
        const { error } = await walk(file, new SilentSink(), { channels: [short, other] })
        expect(error?.code).toBe('truncated')
        expect(error?.item).toBe('multifd channel 0')
      }
    }
  })

  it('that are damaged anywhere end in pages or in a coded error', async () => {
    for (const method of ['zlib', 'zstd']) {
      const file = fileOf(method)
      const whole = readFileSync(`${file}.ch1`)
      const damaged = join(folder, 'damaged')
      // The number that the first packet begins with, behind the greeting.
      const certain = GREETING_BYTES + 1
      for (let i = -1; i < 60; i++) {
        const bytes = Buffer.from(whole)
        const at = i < 0 ? certain : Math.floor((whole.length * (i + 0.37)) / 60)
        bytes[at] ^= 1 << ((i + 8) % 8)
        writeFileSync(damaged, bytes)
        const settings = { channels: [damaged, `${file}.ch2`] }
        const { error, ending } = await walk(file, new SilentSink(), settings)
        // That a number is wrong is seen of all channels together.
        // Bytes that were packed as they are can be others, and nobody knows.
        if (at === certain) expect(error?.code).toBe('bad-ram')
        if (error === undefined) expect(ending).toBe('whole')
        else expect(['multifd channel 0', 'page channels of multifd']).toContain(error.item)
      }
    }
  })
})
