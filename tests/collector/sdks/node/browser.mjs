// Open the shop's page in Chromium, act on it, and wait until the collector has taken what the page sent:
// `node browser.mjs CHROMIUM PAGE ACTION USER [STRATEGY]`. Prints the cookies; exits with 1 when not all was taken.
// STRATEGY, standard or batching, wins over the collector's settings.
import { chromium } from 'playwright-core'

const [executablePath, address, action, user, strategy] = process.argv.slice(2)
const PATIENCE = 30_000

const ACTIONS = {
  /** The calls of the other SDKs. */
  async calls(page) {
    await page.evaluate((user) => {
      analytics.identify(user, { name: '김하늘', logins: 2 })
      analytics.track('SDK Tried', { title: 'Celadon Cup "Crane" 🍵', price: 12.5, quantity: 3 })
      analytics.page('Checkout', { path: '/checkout' })
      analytics.group(`group-of-${user}`, { seats: 5 })
      analytics.alias(user, `before-${user}`)
    }, user)
    return 5
  },

  /** A visitor who searches, looks at a product, and orders it. */
  async visit(page) {
    await page.getByLabel('Search the shop').fill('crane')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('button', { name: 'Celadon Cup 9cm "Crane"', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Add to cart' }).click()
    await page.getByRole('button', { name: 'Check out' }).click()
    await page.getByLabel('Name').fill('Kim Haneul')
    await page.getByLabel('E-mail').fill(user)
    await page.getByRole('button', { name: 'Order' }).click()
    await page.getByText('Thank you for the order.').waitFor()
    return 6
  },

  /** Nothing but the page view; scripts cannot set cookies there. */
  async cookie() {
    return 0
  },

  /** A picture of the page, into the file that stands for the user. */
  async picture(page) {
    await page.setViewportSize({ width: 1100, height: 760 })
    await page.getByRole('button', { name: 'Add to cart: Celadon Cup' }).click()
    await page.getByRole('button', { name: 'Add to cart: Green tea' }).click()
    await page.getByRole('button', { name: 'Check out' }).click()
    await page.screenshot({ path: user, scale: 'css' })
    return 3
  },
}

const browser = await chromium.launch({
  executablePath,
  // In a container Chromium is root and has no sandbox; the others keep it from calling home.
  args: [
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
})
try {
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE)
  page.on('pageerror', (error) => { console.error(error); process.exitCode = 1 })
  if (strategy) {
    await page.addInitScript((strategy) => {
      window.analyticsOptions = { integrations: { 'Segment.io': { deliveryStrategy: { strategy } } } }
    }, strategy)
  }
  if (action === 'cookie') {
    await page.addInitScript(() => Object.defineProperty(document, 'cookie', { get: () => '', set: () => {} }))
  }
  let taken = 0
  page.on('response', (response) => {
    const body = response.request().method() === 'POST' && response.ok() ? response.request().postDataJSON() : { batch: [] }
    taken += body.batch?.length ?? 1
  })
  await page.goto(address)
  await page.waitForFunction(() => !Array.isArray(window.analytics))
  const allTaken = async (count) => {
    const end = Date.now() + PATIENCE
    while (taken < count && Date.now() < end) await page.waitForTimeout(50)
  }
  await allTaken(1) // The page view of the page itself: it may wait still, and would be of the user of a later call.
  const sent = 1 + (await ACTIONS[action](page))
  await allTaken(sent)
  if (taken !== sent) throw new Error(`${sent} sent, ${taken} taken`)
  console.log(JSON.stringify(await page.context().cookies()))
} finally {
  await browser.close()
}
