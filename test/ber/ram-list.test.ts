// Ram sections in BER: what the writer is told comes out of the reader in the same order, whatever the order of
// blocks, of continued and of named records; and what is wrong in a list has a code.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRamList } from '../../formats/ber/ram-list-reader.ts'
import { LastBlock, type ListedBlock, type RamListener } from '../../formats/ber/ram-list.ts'
import { RamListWriter } from '../../formats/ber/ram-list-writer.ts'
import { berOf, errorOf, FORMS, fromHex, hex, readerOf } from './bytes.ts'

interface PageRecord {
  readonly kind: 'zero' | 'page' | 'xbzrle' | 'zlib' | 'hook' | 'flush'
  readonly block: string
  /** Whether it says its block's name though it is the last record's. */
  readonly again: boolean
  readonly address: number
  readonly fill: number
  readonly bytes: Uint8Array
}

const PAGE = 4096

const records = fc.array(
  fc.record<PageRecord>({
    kind: fc.constantFrom('zero', 'zero', 'page', 'xbzrle', 'zlib', 'hook', 'flush'),
    block: fc.constantFrom('pc.ram', 'pc.ram', 'vga.vram'),
    again: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    address: fc.nat(5).map((n) => n * PAGE),
    fill: fc.constantFrom(0, 0, 0, 7),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  }),
)

/** The records with pages as a stream has them: each says whether it continues. */
function said(sections: readonly (readonly PageRecord[])[]): string[] {
  const last = new LastBlock()
  return sections.flatMap((section) => [
    'section',
    ...section.map(({ kind, block, again, address, fill, bytes }) => {
      if (kind === 'hook' || kind === 'flush') return kind
      const continued = last.continues(block) && !again
      const what = kind === 'zero' ? `${fill}` : hex(bytes)
      return `${kind} ${continued ? '' : block} ${address} ${what}`
    }),
  ])
}

/** What a list says, in the same words. */
class Teller implements RamListener {
  readonly said: string[] = []
  readonly #last = new LastBlock()
  #block = ''
  #isEmpty = false

  section(): void {
    this.said.push('section')
    this.#isEmpty = false
  }

  blockList(totalBytes: number, blocks: readonly ListedBlock[]): void {
    this.#last.forget()
    this.said.push(`${totalBytes} ${blocks.map(({ name }) => name).join()}`)
  }

  block(name: string): void {
    if (this.#isEmpty && this.#block === name) this.#last.forget()
    this.#block = name
    this.#isEmpty = true
  }

  zeroRun(address: number, count: number, pageBytes: number): void {
    for (let i = 0; i < count; i++) this.#page('zero', address + i * pageBytes, '0')
  }

  fillPage(address: number, fill: number): void {
    this.#page('zero', address, `${fill}`)
  }

  page(address: number, bytes: Uint8Array): void {
    this.#page('page', address, hex(bytes))
  }

  xbzrlePage(address: number, bytes: Uint8Array): void {
    this.#page('xbzrle', address, hex(bytes))
  }

  zlibPage(address: number, bytes: Uint8Array): void {
    this.#page('zlib', address, hex(bytes))
  }

  hook(): void {
    this.#isEmpty = false
    this.said.push('hook')
  }

  multifdFlush(): void {
    this.#isEmpty = false
    this.said.push('flush')
  }

  #page(kind: string, address: number, what: string): void {
    const continued = this.#last.continues(this.#block)
    this.#isEmpty = false
    this.said.push(`${kind} ${continued ? '' : this.#block} ${address} ${what}`)
  }
}

function written(form: 'indefinite' | 'definite', sections: readonly (readonly PageRecord[])[]) {
  return berOf(form, (ber) => {
    const ram = new RamListWriter(ber)
    const last = new LastBlock()
    ber.open()
    for (const section of sections) {
      ram.begin(PAGE)
      for (const { kind, block, again, address, fill, bytes } of section) {
        if (kind === 'hook') ram.hook('pc.ram')
        else if (kind === 'flush') ram.multifdFlush('pc.ram')
        else {
          const continued = last.continues(block) && !again
          if (kind === 'zero') ram.zeroPage(block, continued, address, fill)
          else if (kind === 'page') ram.page(block, continued, address, bytes)
          else if (kind === 'xbzrle') ram.xbzrlePage(block, continued, address, bytes)
          else ram.zlibPage(block, continued, address, bytes)
        }
      }
      ram.end()
    }
    ber.close()
  })
}

describe.each(FORMS)('ram sections in the %s form', (form) => {
  it('say again what they were told', () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 4 }), (sections) => {
        const ber = readerOf(written(form, sections))
        const teller = new Teller()
        ber.enter()
        while (ber.more) {
          teller.section()
          readRamList(ber, teller)
        }
        ber.leave()
        ber.endOfFile()
        expect(teller.said).toEqual(said(sections))
      }),
      { numRuns: 300 },
    )
  })

  it('list their blocks', () => {
    const blocks = [
      { name: 'pc.ram', usedBytes: 2 ** 33, pageBytes: 2n ** 21n },
      { name: 'rom', usedBytes: 4096, address: 0xfffc_0000n },
    ]
    const bytes = berOf(form, (ber) => {
      const ram = new RamListWriter(ber)
      ram.begin(PAGE)
      ram.blockList(2 ** 33 + 4096, blocks)
      ram.end()
    })
    let heard: readonly ListedBlock[] = []
    const teller = new Teller()
    teller.blockList = (_total, list) => (heard = list)
    readRamList(readerOf(bytes), teller)
    expect(heard).toEqual(
      blocks.map((block) => ({ pageBytes: undefined, address: undefined, ...block })),
    )
  })
})

it('two million zero pages are a few elements', () => {
  const bytes = berOf('indefinite', (ber) => {
    const ram = new RamListWriter(ber)
    ram.begin(PAGE)
    for (let i = 0; i < 2 ** 21; i++) ram.zeroPage('pc.ram', i > 0, i * PAGE, 0)
    ram.end()
  })
  expect(bytes.length).toBeLessThan(700)
  let pages = 0
  const teller = new Teller()
  teller.zeroRun = (_address, count) => (pages += count)
  readRamList(readerOf(bytes), teller)
  expect(pages).toBe(2 ** 21)
})

describe('a list that is wrong', () => {
  const list = (inside: string) => fromHex(`7f d2 4c 80 ${inside} 00 00`)
  const block = (page: string) => list(`30 80 30 80 0c 01 61 30 80 ${page} 00 00 00 00 00 00`)
  it.each([
    ['a page of an unknown kind', block('7f d2 00 00'), 'unexpected'],
    ['a page without data', block('7f c6 50 03 02 01 00'), 'unexpected'],
    [
      'a page of 65537 bytes',
      block(`7f c6 50 83 01 00 09 02 01 00 04 83 01 00 01 ${'00'.repeat(65537)}`),
      'too-long',
    ],
    ['an address below zero', block('40 01 ff'), 'bad-value'],
    ['an address beyond all memory', block('40 08 7f 00 00 00 00 00 00 00'), 'bad-value'],
    ['a run of 65537 pages', block('7f da 52 08 02 01 00 02 03 01 00 01'), 'bad-value'],
    ['a block without a name', list('30 80 30 80 0c 00 30 80 00 00 00 00 00 00'), 'bad-value'],
    [
      'blocks that are less than their sum',
      list('7f c2 4c 0d 02 01 05 30 08 30 06 0c 01 61 02 01 04 30 00'),
      'bad-value',
    ],
    ['something behind the blocks', list('30 00 05 00'), 'unexpected'],
  ])('%s', (_, bytes, code) => {
    const error = errorOf(() => readRamList(readerOf(bytes), new Teller()))
    expect(error.code).toBe(code)
  })

  it('is not written: pages continue nothing, or a list of blocks comes late', () => {
    const late = () =>
      berOf('indefinite', (ber) => {
        const ram = new RamListWriter(ber)
        ram.begin(PAGE)
        ram.zeroPage('a', false, 0, 0)
        ram.blockList(0, [])
      })
    expect(errorOf(late).code).toBe('unexpected')
    const loose = () =>
      berOf('indefinite', (ber) => {
        const ram = new RamListWriter(ber)
        ram.begin(PAGE)
        ram.zeroPage('a', true, 0, 0)
      })
    expect(errorOf(loose).code).toBe('unexpected')
  })
})
