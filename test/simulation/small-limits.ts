// Imported before the core: records of two pages and room for three of them in flight, so that a guest of a
// dozen pages meets the same slots, refills and waits as one of a gigabyte.

import { LIMITS } from '../../shared/protocol/limits.ts'

Object.assign(LIMITS, { recordPages: 2, inFlightBytesMax: 3 * 12 * 1024 })
