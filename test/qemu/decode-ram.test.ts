// Images of memory: those of plain streams beside what QEMU's own script extracts, those of XBZRLE, zlib and
// multifd beside each other and beside what the guest must have had.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { pathOf, RamFiles } from '../../tools/decode/ram-files.ts'
import { walk, type Walked } from '../../tools/decode/walk.ts'
import { inflatePage } from '../../tools/decode/zlib-pages.ts'
import { RamImage } from '../../formats/qemu/stream/ram-image.ts'
import { applyXbzrle } from '../../formats/qemu/stream/xbzrle.ts'
import { captureBytes, channelBytes, CORPUS_MISSING, STREAM_NAMES, streamBytes } from './corpus.ts'
import { REFERENCE_MISSING, referenceScript } from '../../bench/reference/analyze-migration.ts'

const folder = mkdtempSync(join(tmpdir(), 'colo-decode-ram-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Images {
  readonly walked: Walked
  readonly paths: ReadonlyMap<string, string>
  readonly pages: number
}

async function imagesOf(name: string, bytes: Uint8Array): Promise<Images> {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  const files = new RamFiles(join(folder, `${name}.images`))
  const image = new RamImage(files, inflatePage)
  const walked = await walk(file, image)
  files.close()
  return { walked, paths: files.paths, pages: image.pages }
}

const script = STREAM_NAMES.length > 0 ? referenceScript() : undefined
const PLAIN = ['pc-default-bios', 'pc-multi-ramblocks', 'q35-storage', 'microblaze', 'isapc']

describe('memory of plain streams', () => {
  it.skipIf(script === undefined)(`the reference is here (else ${REFERENCE_MISSING})`, () => {
    expect(script).toBeDefined()
  })

  it.skipIf(script === undefined).each(PLAIN)(
    'of %s is what the reference extracts',
    async (name) => {
      const { walked, paths } = await imagesOf(name, streamBytes(name))
      expect(walked.ending).toBe('whole')
      const there = mkdtempSync(join(folder, 'reference-'))
      const run = spawnSync('python3', [script ?? '', '-f', join(folder, name), '-x'], {
        cwd: there,
      })
      expect(run.status).toBe(0)
      expect(paths.size).toBeGreaterThan(0)
      for (const [block, path] of paths) {
        const ours = readFileSync(path)
        const theirs = readFileSync(join(there, pathOf(block)))
        // The reference leaves out zeros at the end of a file.
        expect({ block, isLonger: theirs.length > ours.length }).toEqual({ block, isLonger: false })
        const same = Buffer.compare(ours.subarray(0, theirs.length), theirs) === 0
        const rest = ours.subarray(theirs.length).every((byte) => byte === 0)
        expect({ block, same, rest }).toEqual({ block, same: true, rest: true })
      }
    },
  )
})

describe.skipIf(STREAM_NAMES.length === 0)(`memory in other forms (else ${CORPUS_MISSING})`, () => {
  it('of zlib and of multifd is that of the same guest: its BIOS and its floppy', async () => {
    const packed = await imagesOf('pc-compress', streamBytes('pc-compress'))
    const path = join(folder, 'pc-multifd')
    for (const channel of [1, 2])
      writeFileSync(`${path}.ch${channel}`, channelBytes('pc-multifd', channel))
    const spread = await imagesOf('pc-multifd', streamBytes('pc-multifd'))
    expect([packed.walked.ending, spread.walked.ending]).toEqual(['whole', 'whole'])
    expect(spread.walked.channels).toBe(2)
    const plain = await imagesOf('pc-postcopy-advise', streamBytes('pc-postcopy-advise'))
    for (const block of ['pc.bios', 'pc.rom']) {
      const [one, two, three] = [packed, spread, plain].map(({ paths }) =>
        readFileSync(paths.get(block) ?? ''),
      )
      expect(one?.some((byte) => byte !== 0) || block === 'pc.rom').toBe(true)
      expect(Buffer.compare(one ?? Buffer.alloc(0), three ?? Buffer.alloc(1))).toBe(0)
      expect(Buffer.compare(two ?? Buffer.alloc(0), three ?? Buffer.alloc(1))).toBe(0)
    }
  })

  it('of XBZRLE is whole: every difference fits the page it changes', async () => {
    const { walked, pages } = await imagesOf('pc-xbzrle', streamBytes('pc-xbzrle'))
    expect(walked.ending).toBe('whole')
    expect(pages).toBeGreaterThan(860)
  })

  it('of a COLO session is that of its last checkpoint: all words of the guest agree', async () => {
    const { paths } = await imagesOf('pc16_small', captureBytes('pc16_small'))
    const memory = readFileSync(paths.get('pc.ram') ?? '')
    const counter = memory.readUInt32LE(0x100000)
    expect(counter).toBeGreaterThan(0)
    const words = Array.from({ length: 16 }, (_, i) => memory.readUInt32LE(0x200000 + i * 4096))
    // The guest was stopped within an iteration: pages behind it have the count before.
    for (const word of words) expect([counter, counter - 1, counter + 1]).toContain(word)
  })

  it('is sparse: zero pages take no room', async () => {
    const { paths } = await imagesOf('pc-min-paused', streamBytes('pc-min-paused'))
    const { size, blocks } = statSync(paths.get('pc.ram') ?? '')
    expect(size).toBe(8 * 1024 * 1024)
    expect(blocks * 512).toBeLessThan(size / 4)
  })
})

describe('XBZRLE', () => {
  const apply = (...bytes: number[]) => {
    const page = new Uint8Array(16).fill(9)
    const fault = applyXbzrle(page, Uint8Array.from(bytes), 0, bytes.length)
    return fault ?? [...page]
  }

  it('changes the bytes of its runs', () => {
    expect(apply(0, 2, 1, 2, 3, 1, 7)).toEqual([1, 2, 9, 9, 9, 7, ...Array<number>(10).fill(9)])
  })

  it.each([
    [[3], /ends on a run/],
    [[0, 0], /no new bytes/],
    [[0, 2, 1], /longer than what there is/],
    [[15, 2, 1, 1], /longer than a page/],
    [[0, 1, 1, 0, 1, 1], /not the first/],
    [[0x80], /broken off/],
    [[0x80, 0x80, 1], /longer than 2 bytes/],
  ])('refuses %j', (bytes, reason) => {
    expect(apply(...bytes)).toMatch(reason)
  })
})

describe('paths of images', () => {
  it('stay below their folder whatever a block is called', () => {
    expect(pathOf('/rom@etc/acpi/tables')).toBe(join('rom@etc', 'acpi', 'tables'))
    expect(pathOf('../../etc/passwd')).toBe(join('%2E%2E', '%2E%2E', 'etc', 'passwd'))
    expect(pathOf('/')).toBe('block')
    expect(pathOf('a b\u0000')).toBe('a%20b%00')
  })
})
