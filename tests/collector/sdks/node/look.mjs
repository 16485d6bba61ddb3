// Open pages in Chromium and say what a person would meet: `node look.mjs CHROMIUM JOBS`. JOBS is a JSON file with a list
// of {address, scheme: light | dark, width, picture: file or null, height: of the picture, 0 for all}. Prints a list with,
// for each, the requests beside that of the page, errors, whether it scrolls sideways, the lowest contrast of a text, how
// many elements the Tab key reaches, and of how many.
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [executablePath, jobs] = process.argv.slice(2)

/** In the page: the lowest contrast of a text with what is behind it, as WCAG reckons it, and that text. */
function lowestContrast() {
  const channels = (color) => (color.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number)
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color[3] === undefined || color[3] > 0) return color
    }
    return [255, 255, 255]
  }
  let lowest = { ratio: 21, text: '' }
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join('')
    if (!text || element.tagName === 'title' || element.tagName === 'STYLE') continue
    const style = getComputedStyle(element)
    const color = channels(element.tagName === 'text' ? style.fill : style.color)
    const [high, low] = [luminance(color), luminance(behind(element))].sort((a, b) => b - a)
    const ratio = (high + 0.05) / (low + 0.05)
    if (ratio < lowest.ratio) lowest = { ratio, text }
  }
  return lowest
}

const browser = await chromium.launch({
  executablePath,
  args: [
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
})
try {
  const found = []
  for (const { address, scheme, width, picture, height } of JSON.parse(readFileSync(jobs, 'utf8'))) {
    const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height: height || 800 } })
    const requests = []
    const errors = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => errors.push(message.text()))
    page.on('pageerror', (error) => errors.push(String(error)))
    await page.goto(address)
    const targets = await page.locator('a[href], input, button, summary, [tabindex]').count()
    const reached = new Set()
    for (let step = 0; step <= targets; step++) {
      await page.keyboard.press('Tab')
      const place = await page.evaluate(() => [...document.querySelectorAll('*')].indexOf(document.activeElement))
      if (reached.has(place)) break
      reached.add(place)
    }
    await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0) })
    if (picture) await page.screenshot({ path: picture, fullPage: !height, scale: 'css' })
    found.push({
      requests: requests.filter((url) => url !== address),
      errors,
      title: await page.title(),
      is_wider: await page.evaluate(() => document.documentElement.scrollWidth > innerWidth),
      background: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      contrast: await page.evaluate(lowestContrast),
      reached: reached.size,
      targets,
    })
    await page.close()
  }
  console.log(JSON.stringify(found))
} finally {
  await browser.close()
}
