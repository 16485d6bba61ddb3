// Send each kind of call with analytics-go: `send URL KEY USER`. Exits with 1 when one was not taken.
package main

import (
	"log"
	"os"

	"github.com/segmentio/analytics-go/v3"
)

type failures struct{ count int }

func (*failures) Success(analytics.Message) {}

func (found *failures) Failure(message analytics.Message, err error) {
	log.Print(err)
	found.count++
}

func main() {
	url, key, user := os.Args[1], os.Args[2], os.Args[3]
	found := &failures{}
	client, err := analytics.NewWithConfig(key, analytics.Config{Endpoint: url, Callback: found})
	if err != nil {
		log.Fatal(err)
	}
	for _, message := range []analytics.Message{
		analytics.Identify{UserId: user, Traits: analytics.NewTraits().SetName("김하늘").Set("logins", 2)},
		analytics.Track{
			UserId: user,
			Event:  "SDK Tried",
			Properties: analytics.NewProperties().
				SetTitle("Celadon Cup \"Crane\" 🍵").
				SetPrice(12.5).
				Set("quantity", 3),
		},
		analytics.Page{UserId: user, Name: "Checkout", Properties: analytics.NewProperties().SetPath("/checkout")},
		analytics.Group{UserId: user, GroupId: "group-of-" + user, Traits: analytics.NewTraits().Set("seats", 5)},
		analytics.Alias{UserId: user, PreviousId: "before-" + user},
	} {
		if err := client.Enqueue(message); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}
	if found.count > 0 {
		os.Exit(1)
	}
}
