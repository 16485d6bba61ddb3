// A shop in which each click is a call of analytics.js, with the events of include/tracking_plan.yaml.

const CURRENCY = 'KRW'
const SHOWN = 120 // characters of what was sent
const SHAPES = {
  cup: '<path d="M34 30h44v18a18 18 0 0 1-18 18h-8a18 18 0 0 1-18-18z"/><path d="M78 36h6a8 8 0 0 1 0 16h-7"/>',
  pot: '<path d="M36 40a24 20 0 0 1 48 0v12a12 12 0 0 1-12 12H48a12 12 0 0 1-12-12z"/>'
    + '<path d="M36 46 22 34M84 40c14-6 14 18 0 14"/><circle cx="60" cy="18" r="3"/>',
  leaf: '<path d="M30 62c0-30 24-44 58-42 2 30-18 48-44 42"/><path d="M30 66c10-14 22-24 38-32"/>',
  box: '<path d="M32 34h56v32H32zM28 24h64v10H28zM60 24v42"/><path d="M60 24c-18-2-18-16-6-12 4 2 6 8 6 12 0-4 2-10 6-12'
    + ' 12-4 12 10-6 12"/>',
}
const PRODUCTS = [
  { number: 1042, name: '우전 녹차 50g', english: 'Green tea, first flush', category: 'Tea', price: 32000, shape: 'leaf' },
  { number: 1051, name: 'Hwagae Black Tea, 20 bags', category: 'Tea', price: 18900, shape: 'leaf' },
  { number: 2007, name: '달항아리 머그 「小」', english: 'Moon jar mug', category: 'Tableware', price: 27000, shape: 'cup' },
  { number: 2011, name: 'Celadon Cup 9cm "Crane"', category: 'Tableware', price: 38000, shape: 'cup' },
  { number: 2015, name: '백자 찻주전자', english: 'White porcelain teapot', category: 'Tableware', price: 129000, shape: 'pot' },
  { number: 4001, name: '추석 선물세트', english: 'Gift set in a bojagi', category: 'Gift', price: 99000, shape: 'box' },
]

const cart = new Map()
const cartId = `cart-${crypto.randomUUID()}`
const at = (id) => document.getElementById(id)
const won = (price) => `₩${price.toLocaleString('en')}`
const title = (product) => (product.english ? `${product.english} (${product.name})` : product.name)
const asSent = ({ number, name, category, price }) => ({
  product_id: `MM-${number}`, sku: `MM-${number}`, name, category, price, currency: CURRENCY,
})

/** Load analytics.js from here, and its settings from the collector. Calls made before wait in the array.
 *  `analyticsOptions` are options of the SDK that win over the settings, if somebody set them before. */
function loadAnalytics() {
  const { writeKey, collector } = document.body.dataset
  const _cdn = collector || location.origin
  window.analytics = Object.assign([], { _writeKey: writeKey, _cdn, _loadOptions: window.analyticsOptions })
  const script = document.createElement('script')
  script.src = '/analytics.js'
  document.head.append(script)
}

/** Make a call, and show it. */
function send(method, ...values) {
  if (Array.isArray(window.analytics)) window.analytics.push([method, ...values])
  else window.analytics[method](...values)
  const [first, second] = values
  const properties = JSON.stringify(second ?? {})
  const shown = properties.length > SHOWN ? `${properties.slice(0, SHOWN)}…` : properties
  at('sent').prepend(element('li', '', element('b', method), ` ${first} `, shown))
}

function element(name, text, ...children) {
  const made = document.createElement(name)
  made.append(text, ...children)
  return made
}

function showProducts(products) {
  at('products').replaceChildren(...products.map(card))
}

function card(product) {
  const picture = element('div', '')
  picture.innerHTML = `<svg viewBox="0 0 120 80" fill="none" stroke="#2c6150" stroke-width="3" aria-hidden="true">${
    SHAPES[product.shape]}</svg>`
  const name = element('button', title(product))
  name.className = 'name'
  name.addEventListener('click', () => showDetails(product))
  const price = element('p', won(product.price))
  price.className = 'price'
  const add = element('button', 'Add to cart')
  add.setAttribute('aria-label', `Add to cart: ${title(product)}`)
  add.addEventListener('click', () => addToCart(product))
  return element('li', picture, name, price, add)
}

function showDetails(product) {
  const dialog = at('details')
  at('details-name').textContent = title(product)
  at('details-text').textContent = `${product.category}, ${won(product.price)}`
  dialog.onclose = () => dialog.returnValue === 'add' && addToCart(product)
  dialog.returnValue = ''
  dialog.showModal()
  send('track', 'Product Viewed', { ...asSent(product), url: `${location.origin}/products/mm-${product.number}` })
}

function addToCart(product) {
  cart.set(product, (cart.get(product) ?? 0) + 1)
  send('track', 'Product Added', { cart_id: cartId, ...asSent(product), quantity: 1 })
  showCart()
}

function order(id) {
  const revenue = [...cart].reduce((sum, [product, quantity]) => sum + product.price * quantity, 0)
  const products = [...cart].map(([product, quantity]) => ({ ...asSent(product), quantity }))
  return { order_id: id, revenue, shipping: 0, total: revenue, currency: CURRENCY, products }
}

function showCart() {
  at('cart').replaceChildren(
    ...[...cart].map(([product, quantity]) =>
      element('li', element('span', `${quantity} × ${title(product)}`), element('span', won(product.price * quantity)))),
  )
  at('sum').textContent = cart.size ? `Together ${won(order('').revenue)}` : 'Nothing in it yet.'
  at('to-checkout').hidden = !cart.size
  at('checkout').hidden = true
}

at('search').addEventListener('submit', (event) => {
  event.preventDefault()
  const query = at('query').value.trim()
  const found = PRODUCTS.filter((one) => `${title(one)} ${one.category}`.toLowerCase().includes(query.toLowerCase()))
  showProducts(found)
  at('found').textContent = query ? `${found.length} found for “${query}”` : ''
  send('track', 'Products Searched', { query, results_count: found.length })
})

at('to-checkout').addEventListener('click', () => {
  at('to-checkout').hidden = true
  at('checkout').hidden = false
  at('checkout').dataset.order = `web-${crypto.randomUUID()}`
  at('name').focus()
  send('track', 'Checkout Started', order(at('checkout').dataset.order))
})

at('checkout').addEventListener('submit', (event) => {
  event.preventDefault()
  const { name, email } = Object.fromEntries(new FormData(event.target))
  send('identify', email, { name, email })
  send('track', 'Order Completed', order(event.target.dataset.order))
  cart.clear()
  showCart()
  at('sum').textContent = 'Thank you for the order.'
})

loadAnalytics()
showProducts(PRODUCTS)
send('page', 'Shop')
