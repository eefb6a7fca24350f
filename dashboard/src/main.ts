import { createApp } from 'vue'
import App from './App.vue'
import { failure } from './lib/failure'
import './app.css'

const app = createApp(App)
app.config.errorHandler = (reason) => {
  failure.value = true
  console.error(reason)
}
app.mount('#app')
