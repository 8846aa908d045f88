// Reads a RAMSecList element by element and says what is in it; nothing is kept but the name of the block.

import type { BerReader } from './ber-reader.ts'
import { CONTEXT_0, CONTEXT_1, type Tag } from './ber-tag.ts'
import { moduleTagName, TAGS, ZERO_PAGE } from './migration-tags.ts'
import {
  BLOCKS_MAX,
  PAGE_BYTES_DEFAULT,
  PAGE_BYTES_MAX,
  ZERO_RUN_PAGES_MAX,
  type ListedBlock,
  type RamListener,
} from './ram-list.ts'

const ADDRESS_MAX = 2 ** 52
/** Its length has 16 bits in a stream. */
const XBZRLE_BYTES_MAX = 65_535
/** Above what zlib makes of the largest page. */
const ZLIB_BYTES_MAX = 2 * PAGE_BYTES_MAX + 64

/** Raises BerError for whatever the module does not have at its place. */
export function readRamList(ber: BerReader, to: RamListener): void {
  ber.enter(TAGS.RAMSecList)
  if (ber.tag === TAGS.RAMBlockList) readBlockList(ber, to)
  ber.enter()
  while (ber.more) {
    ber.enter()
    const name = ber.name()
    ber.item = `ram, block ${name}`
    to.block(name)
    ber.enter()
    while (ber.more) readPage(ber, to)
    ber.leave()
    ber.leave()
  }
  ber.leave()
  ber.leave()
}

function readBlockList(ber: BerReader, to: RamListener): void {
  ber.item = 'ram, list of blocks'
  ber.enter(TAGS.RAMBlockList)
  const totalBytes = ber.count(ADDRESS_MAX, 'totalram')
  const blocks: ListedBlock[] = []
  let sum = 0
  ber.enter()
  while (ber.more) {
    if (blocks.length === BLOCKS_MAX) {
      throw ber.error('too-long', `a list of more than ${BLOCKS_MAX} blocks`)
    }
    ber.enter()
    const name = ber.name()
    const usedBytes = ber.count(ADDRESS_MAX, 'len')
    const pageBytes = ber.tag === CONTEXT_0 ? BigInt(ber.integer(CONTEXT_0)) : undefined
    const address = ber.tag === CONTEXT_1 ? BigInt(ber.integer(CONTEXT_1)) : undefined
    ber.leave()
    blocks.push({ name, usedBytes, pageBytes, address })
    sum += usedBytes
  }
  if (sum !== totalBytes) {
    const rule = `the blocks have ${sum} bytes in all, and totalram says ${totalBytes}`
    throw ber.error('bad-value', rule)
  }
  ber.leave()
  ber.leave()
  to.blockList(totalBytes, blocks)
}

function readPage(ber: BerReader, to: RamListener): void {
  const { tag } = ber
  switch (tag) {
    case TAGS.FullPage:
      to.page(readAddress(ber, tag), readData(ber, PAGE_BYTES_MAX))
      ber.leave()
      break
    case TAGS.XBZRLEPage:
      to.xbzrlePage(readAddress(ber, tag), readData(ber, XBZRLE_BYTES_MAX))
      ber.leave()
      break
    case TAGS.ZlibPage:
      to.zlibPage(readAddress(ber, tag), readData(ber, ZLIB_BYTES_MAX))
      ber.leave()
      break
    case ZERO_PAGE:
      to.zeroRun(ber.count(ADDRESS_MAX, 'addr', ZERO_PAGE), 1, 0)
      break
    case TAGS.ZeroRun:
      readZeroRun(ber, to)
      break
    case TAGS.FillPage:
      to.fillPage(readAddress(ber, tag), ber.count(255, 'value'))
      ber.leave()
      break
    case TAGS.hook:
      ber.null(tag)
      to.hook()
      break
    case TAGS.multifdFlush:
      ber.null(tag)
      to.multifdFlush()
      break
    default:
      throw ber.error('unexpected', `${moduleTagName(tag)} where a RAMPage should be`)
  }
}

function readAddress(ber: BerReader, tag: Tag): number {
  ber.enter(tag)
  return ber.count(ADDRESS_MAX, 'addr')
}

/** Good until the element is left. */
function readData(ber: BerReader, max: number): Uint8Array {
  const { offset } = ber
  const data = ber.octets()
  if (data.length <= max) return data
  throw ber.error('too-long', `a page of ${data.length} bytes, more than ${max}`, offset)
}

function readZeroRun(ber: BerReader, to: RamListener): void {
  const address = readAddress(ber, TAGS.ZeroRun)
  const count = ber.count(ZERO_RUN_PAGES_MAX, 'npages')
  const hasSize = ber.tag === CONTEXT_0
  const pageBytes = hasSize ? ber.count(PAGE_BYTES_MAX, 'pagesize', CONTEXT_0) : PAGE_BYTES_DEFAULT
  ber.leave()
  to.zeroRun(address, count, pageBytes)
}
